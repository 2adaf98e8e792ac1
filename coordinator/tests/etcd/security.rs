//! etcd that wants certificates on both sides, and etcd that wants a login.

use std::path::Path;

use ostler_coordinator::store::etcd::{Config, Etcd, Tls, User};
use ostler_coordinator::store::{Error, Operation, Store, Transaction};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::server::{Server, free_port};

fn put(key: &str) -> Transaction {
    Transaction { compares: Vec::new(), operations: vec![Operation::Put(key.to_owned(), b"v".to_vec())] }
}

/// Writes an authority and two certificates that it signed: for the server, and for the client.
fn write_certificates(folder: &Path) {
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    write("ca.pem", authority.pem());
    for name in ["server", "client"] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &authority).unwrap();
        write(&format!("{name}.pem"), certificate.pem());
        write(&format!("{name}-key.pem"), key.serialize_pem());
    }
}

#[tokio::test]
async fn certificates_are_shown_and_checked_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    write_certificates(folder.path());
    let file = |name: &str| folder.path().join(name);
    let mut config = Config::new(vec![format!("https://127.0.0.1:{}", free_port())]);
    config.tls =
        Tls { ca: Some(file("ca.pem")), identity: Some((file("client.pem"), file("client-key.pem"))) };
    let text = |name: &str| file(name).display().to_string();
    let arguments = [
        format!("--cert-file={}", text("server.pem")),
        format!("--key-file={}", text("server-key.pem")),
        format!("--trusted-ca-file={}", text("ca.pem")),
        "--client-cert-auth".to_owned(),
    ];
    let nobody = Config { tls: Tls { ca: Some(file("ca.pem")), identity: None }, ..config.clone() };
    let missing = Config { tls: Tls { ca: Some(file("none.pem")), identity: None }, ..config.clone() };
    let error = Etcd::open(&missing).err().unwrap().to_string();
    assert!(error.contains("etcd_ca") && error.contains("none.pem"), "{error}");
    let server = Server::start_with(folder, config, &arguments).await;
    assert!(server.store().commit(put("k")).await.unwrap().applied);
    let refused = Etcd::open(&nobody).unwrap().get("k").await;
    assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn who_logs_in_is_served_and_others_are_refused() {
    let server = Server::start().await;
    server.post("/v3/auth/user/add", r#"{"name": "root", "password": "secret"}"#);
    server.post("/v3/auth/user/grant", r#"{"user": "root", "role": "root"}"#);
    server.post("/v3/auth/enable", "{}");
    let with = |password: &str| {
        let user = User { name: "root".to_owned(), password: password.to_owned() };
        Etcd::open(&Config { user: Some(user), ..server.config() }).unwrap()
    };
    assert!(with("secret").commit(put("k")).await.unwrap().applied);
    for (who, store) in [("a wrong password", with("guess")), ("nobody", server.store())] {
        let refused = store.commit(put("k")).await;
        assert!(matches!(refused, Err(Error::Backend(_))), "{who}: {refused:?}");
    }
}

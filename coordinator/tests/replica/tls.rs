//! Replicas that ask each other under mutual TLS.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ostler_coordinator::tls::{Files, Naming};
use ostler_coordinator::{Config, Running, start};
use ostler_proto::v1;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use tempfile::TempDir;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::peers::beat;
use crate::support::{Agent, PATIENCE, config, hello};

/// An authority, and a certificate that is good for both sides.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        std::fs::write(folder.path("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(authority, key);
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        std::fs::write(folder.path("it.pem"), params.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        std::fs::write(folder.path("key.pem"), key.serialize_pem()).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn files(&self) -> Option<Files> {
        Some(Files {
            certificate: self.path("it.pem"),
            key: self.path("key.pem"),
            client_ca: Some(self.path("ca.pem")),
            client_crl: None,
            peer_ca: None,
            naming: Naming::Free,
        })
    }

    async fn channel(&self, replica: &Running) -> Channel {
        let read = |name| std::fs::read(self.path(name)).unwrap();
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(read("ca.pem")))
            .identity(Identity::from_pem(read("it.pem"), read("key.pem")));
        let endpoint = Endpoint::from_shared(format!("https://{}", replica.grpc_address)).unwrap();
        endpoint.tls_config(tls).unwrap().connect().await.unwrap()
    }

    async fn join(&self, replica: &Running, name: &str) -> Agent {
        let mut agent = Agent::hello_over(self.channel(replica).await, hello(name, "a")).await;
        agent.snapshot(v1::GpuState::Ok, 50, 0).await;
        agent
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_under_tls_tell_each_other_what_they_hear() {
    let folder = Folder::new();
    let config = || Config { tls: folder.files(), ..config() };
    let other = start(Config { replica: "replica-2".to_owned(), ..config() }).await.unwrap();
    let peer = format!("https://{}", other.grpc_address).parse().unwrap();
    let one = start(Config { peers: vec![peer], ..config() }).await.unwrap();
    for name in ["n2", "n3"] {
        beat(folder.join(&one, name).await);
        beat(folder.join(&other, name).await);
    }
    beat(folder.join(&other, "n1").await);
    let _silent = folder.join(&one, "n1").await;
    let mut fleet = v1::fleet_client::FleetClient::new(folder.channel(&one).await);
    let began = Instant::now();
    loop {
        let request = v1::GetRequest { name: "n1".to_owned(), field_mask: None };
        let node = fleet.get_node(request).await.unwrap().into_inner();
        if node.verdict() == v1::Verdict::StreamBroken {
            assert!(node.verdict_reason.contains("another replica"), "{}", node.verdict_reason);
            return;
        }
        assert!(began.elapsed() < 3 * PATIENCE, "{:?}: {}", node.verdict(), node.verdict_reason);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, SerialNumber, date_time_ymd};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};

use super::*;

/// Lets everybody in, and remembers whose certificates it was shown.
#[derive(Debug, Default)]
struct Everybody(Mutex<Vec<CertificateDer<'static>>>);

impl ClientCertVerifier for Everybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        first: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.lock().unwrap().push(first.clone().into_owned());
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

fn material(clients: &Arc<Everybody>, revoked: &[&[u8]]) -> Material {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let resolver = Arc::new(rustls::server::ResolvesServerCertUsingSni::new());
    Material {
        server: Arc::new(builder.with_no_client_auth().with_cert_resolver(resolver)),
        clients: Some(Arc::<Everybody>::clone(clients)),
        revoked: revoked.iter().map(|serial| serial.to_vec()).collect(),
    }
}

/// A certificate with this serial number that is valid for so many seconds after 1970.
fn certificate(serial: u8, expires_s: u64) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from_slice(&[serial]));
    params.not_before = date_time_ymd(1970, 1, 1);
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(expires_s);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
}

#[test]
fn the_next_expiry_of_a_chain_is_waited_for_whatever_it_was_judged_for() {
    let material = material(&Arc::default(), &[]);
    let shown = Shown::new(0, &[certificate(1, 2_000), certificate(2, 1_000)]);
    let judge_at = || shown.judge_at.load(Ordering::Relaxed);
    assert_eq!(judge_at(), 1_001);
    for (now_s, next_s) in [(500, 1_001), (1_001, 2_001), (2_001, NEVER)] {
        assert_eq!(shown.judge(&material, UnixTime::since_unix_epoch(Duration::from_secs(now_s))), None);
        assert_eq!(judge_at(), next_s);
    }
}

#[test]
fn whoever_is_on_a_new_list_is_judged_before_all_others() {
    let everybody = Arc::new(Everybody::default());
    let trust = Arc::new(Trust::new(material(&everybody, &[]), Naming::Free));
    let certificates: Vec<_> = (1..=4).map(|serial| certificate(serial, u64::from(u32::MAX))).collect();
    let current = trust.material();
    let open = certificates.iter().map(|it| trust.enter(&current, Some(std::slice::from_ref(it))));
    let open: Vec<Certified> = open.collect();
    trust.replace(material(&everybody, &[&[3]]));
    let order = [2, 0, 1, 3].map(|index: usize| certificates[index].clone());
    assert_eq!(*everybody.0.lock().unwrap(), order);
    drop(open);
    trust.replace(material(&everybody, &[]));
    assert_eq!(everybody.0.lock().unwrap().len(), 4, "who is gone is not judged");
}

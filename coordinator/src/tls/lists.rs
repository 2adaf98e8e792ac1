//! Lists of revoked certificates, looked at before they count.
//!
//! The verifier takes the first list that bears the name of a certificate's issuer, and turns everybody away whose issuer
//! has not signed it. A wrong list would so cut off a whole fleet, where a missing one revokes nothing.

use std::collections::BTreeSet;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::files::Error;

/// The serial numbers on lists of which each is by the authorities whose name it bears. One by nobody who is known is said
/// to be of no use, and is no error: it may be of an authority to come, or of one between these and the certificates.
pub(super) fn checked(
    lists: &[CertificateRevocationListDer<'_>],
    authorities: &[CertificateDer<'_>],
    provider: &CryptoProvider,
) -> Result<BTreeSet<Vec<u8>>, Error> {
    let mut serials = BTreeSet::new();
    // What cannot be parsed is refused by whoever makes the verifier of it.
    for (_, list) in lists.iter().filter_map(|list| CertificateRevocationList::from_der(list).ok()) {
        let mut known = false;
        for (_, authority) in authorities.iter().filter_map(|it| X509Certificate::from_der(it).ok()) {
            if authority.subject().as_raw() != list.issuer().as_raw() {
                continue;
            }
            known = true;
            if !is_signed(&list, &authority, provider) {
                return Err(Error::List { issuer: list.issuer().to_string() });
            }
        }
        if !known {
            let issuer = list.issuer().to_string();
            tracing::warn!(
                issuer,
                "a list in tls.client_crl is by nobody in tls.client_ca, and revokes nothing that they have signed"
            );
        }
        serials.extend(list.iter_revoked_certificates().map(|it| it.raw_serial().to_vec()));
    }
    Ok(serials)
}

/// Whether an authority has signed a list, in any way that is known here.
fn is_signed(
    list: &CertificateRevocationList<'_>,
    authority: &X509Certificate<'_>,
    provider: &CryptoProvider,
) -> bool {
    let key = &authority.public_key().subject_public_key.data;
    let (signed, signature) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
    let ways = provider.signature_verification_algorithms.all;
    ways.iter().any(|way| way.verify_signature(key, signed, signature).is_ok())
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
        KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
    };
    use rustls::crypto::ring::default_provider;

    use super::*;

    /// An authority and its list, with this serial number.
    fn authority(
        name: &str,
        serial: u64,
    ) -> (CertificateDer<'static>, CertificateRevocationListDer<'static>) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&Issuer::new(params, key)).unwrap();
        (certificate.der().clone(), list.der().clone())
    }

    #[test]
    fn a_list_counts_that_each_authority_of_its_name_has_signed() {
        let ((one, of_one), (two, of_two)) = (authority("one", 1), authority("two", 2));
        let (same_name, _) = authority("one", 3);
        let checked = |lists: &[&CertificateRevocationListDer<'static>],
                       authorities: &[&CertificateDer<'static>]| {
            let lists: Vec<_> = lists.iter().copied().cloned().collect();
            let authorities: Vec<_> = authorities.iter().copied().cloned().collect();
            super::checked(&lists, &authorities, &default_provider())
        };
        assert_eq!(checked(&[&of_one, &of_two], &[&two, &one]).unwrap(), BTreeSet::from([vec![1], vec![2]]));
        assert!(checked(&[&of_one], &[&two]).is_ok(), "an unknown authority's does no harm");
        for authorities in [&[&same_name][..], &[&one, &same_name]] {
            let refused = checked(&[&of_one], authorities).unwrap_err();
            assert!(refused.to_string().contains("CN=one"), "{refused}");
        }
    }
}

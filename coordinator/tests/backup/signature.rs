//! Checks signatures in addresses (AWS Signature Version 4) as a server does, apart from the code that makes them.
//!
//! After "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" of Amazon's S3 API reference, whose
//! example is a test here.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// Who may ask, and for which region.
pub(crate) struct Account<'a> {
    pub(crate) key: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) region: &'a str,
}

/// What was asked, as it stands in the request.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
}

/// Query parameters, decoded and in order.
pub(crate) fn parameters(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Says what is wrong with a request's signature at a moment.
pub(crate) fn check(asked: &Asked<'_>, account: &Account<'_>, now: Timestamp) -> Result<(), String> {
    let mut parameters = parameters(asked.query);
    let signature = parameters.remove("X-Amz-Signature").ok_or("no signature")?;
    let of = |name: &str| parameters.get(name).cloned().ok_or(format!("no {name}"));
    let (date, expires) = (of("X-Amz-Date")?, of("X-Amz-Expires")?);
    let day = date.get(..8).ok_or("a date is too short")?;
    let scope = format!("{day}/{}/s3/aws4_request", account.region);
    if of("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" || of("X-Amz-SignedHeaders")? != "host" {
        return Err("another way of signing".to_owned());
    }
    if of("X-Amz-Credential")? != format!("{}/{scope}", account.key) {
        return Err(format!("signed for {}", of("X-Amz-Credential")?));
    }
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &date).map_err(|it| it.to_string())?;
    let signed = signed.in_tz("UTC").map_err(|it| it.to_string())?.timestamp();
    let age = now.duration_since(signed);
    let seconds: i64 = expires.parse().map_err(|_| "no number of seconds")?;
    if age < SignedDuration::from_mins(-15) || age > SignedDuration::from_secs(seconds) {
        return Err(format!("the signature is {age:#} old"));
    }
    let query: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name, ""), encode(value, "")))
        .collect();
    let path = encode(&decode(asked.path), "/");
    let canonical = format!(
        "{}\n{path}\n{}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
        asked.method,
        query.join("&"),
        asked.host
    );
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let mut key = format!("AWS4{}", account.secret).into_bytes();
    for part in [day, account.region, "s3", "aws4_request"] {
        key = hmac(&key, part);
    }
    if hex(&hmac(&key, &text)) == signature { Ok(()) } else { Err("the signature does not match".to_owned()) }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length are good");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Escapes all but letters, digits, `-._~` and these.
pub(crate) fn encode(text: &str, but: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || but.as_bytes().contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

pub(crate) fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escaped.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_example_of_the_reference_is_right_and_anything_else_is_not() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                 &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                 &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let account = Account {
        key: "AKIAIOSFODNN7EXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
    };
    let host = "examplebucket.s3.amazonaws.com";
    let right = || Asked { method: "GET", host, path: "/test.txt", query };
    let now: Timestamp = "2013-05-24T12:00:00Z".parse().unwrap();
    assert_eq!(check(&right(), &account, now), Ok(()));
    let late: Timestamp = "2013-05-25T00:00:01Z".parse().unwrap();
    assert!(check(&right(), &account, late).is_err());
    for wrong in [
        Asked { method: "PUT", ..right() },
        Asked { host: "other.s3.amazonaws.com", ..right() },
        Asked { path: "/text.txt", ..right() },
        Asked { query: &query.replace("86400", "86401"), ..right() },
        Asked { query: &query.replace("d404", "d405"), ..right() },
    ] {
        assert!(check(&wrong, &account, now).is_err());
    }
    assert!(check(&right(), &Account { secret: "guess", ..account }, now).is_err());
}

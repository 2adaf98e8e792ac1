use proptest::prelude::*;

use super::*;

fn header() -> Header {
    let created = "2026-11-21T09:00:00Z".parse().unwrap();
    Header::new(created, Origin::Etcd, Position { revision: 812, term: 640 })
}

fn write(entries: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
    for (key, value) in entries {
        writer.entry(key, value).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    Reader::open(bytes)?.collect()
}

fn some() -> BTreeMap<String, Vec<u8>> {
    let entries = [("a/1", "one"), ("a/2", ""), ("b \"quoted\"\n/x", "{\"json\": true}"), ("z", "\u{0}")];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec())).collect()
}

/// Keys of any text, but such as a store holds.
fn keys() -> impl Strategy<Value = String> {
    any::<String>()
        .prop_filter("is state", |key| !key.is_empty() && key.len() <= KEY_LENGTH_MAX && is_state(key))
}

proptest! {
    #[test]
    fn what_is_written_is_read(entries in proptest::collection::btree_map(keys(), any::<Vec<u8>>(), 0..50)) {
        prop_assert_eq!(read(&write(&entries)).unwrap(), entries);
    }

    #[test]
    fn no_flipped_bit_goes_unseen(at in any::<proptest::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = write(&some());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let read = read(&bytes);
        prop_assert!(read.is_err(), "bit {} of byte {} was flipped and the file is still taken", bit, at);
    }

    #[test]
    fn no_bytes_at_all_are_taken_for_a_backup_or_make_it_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(matches!(read(&bytes), Err(Error::NotABackup)));
    }
}

#[test]
fn every_file_that_was_cut_off_is_refused_as_such() {
    let bytes = write(&some());
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in 0..bytes.len() {
        let error = read(&bytes[..length]).unwrap_err();
        let expected = if length < first {
            matches!(error, Error::NotABackup)
        } else {
            matches!(error, Error::Truncated { .. })
        };
        assert!(expected, "cut to {length} of {}: {error}", bytes.len());
    }
}

#[test]
fn whole_lines_that_are_missing_doubled_added_or_exchanged_are_refused() {
    let text = String::from_utf8(write(&some())).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let other = String::from_utf8(write(&BTreeMap::new())).unwrap();
    let trailer = other.lines().last().unwrap().to_owned();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut changed = lines.clone();
        change(&mut changed);
        read((changed.join("\n") + "\n").as_bytes()).unwrap_err().to_string()
    };
    for (problem, error) in [
        ("checksum", with(&|it| drop(it.remove(2)))),
        ("in order", with(&|it| it.insert(2, it[2].clone()))),
        ("in order", with(&|it| it.swap(1, 2))),
        ("follows", with(&|it| it.push(it[1].clone()))),
        ("checksum", with(&|it| *it.last_mut().unwrap() = trailer.clone())),
        ("no store", with(&|it| it.insert(1, r#"{"key":"lead/epoch","value":""}"#.to_owned()))),
        ("neither", with(&|it| it.insert(1, r#"{"key":"a","value":"","lease":1}"#.to_owned()))),
        ("base64", with(&|it| it.insert(1, r#"{"key":"a","value":"?"}"#.to_owned()))),
    ] {
        assert!(error.contains(problem), "{problem}: {error}");
    }
}

#[test]
fn another_version_is_refused_with_what_to_do_and_other_files_are_called_what_they_are() {
    let newer =
        String::from_utf8(write(&some())).unwrap().replace("\"version\":1", "\"version\":2,\"new\":7");
    let error = read(newer.as_bytes()).unwrap_err();
    assert!(matches!(error, Error::Version { version: 2 }), "{error}");
    assert!(error.to_string().contains("use the version of Ostler"), "{error}");
    for other in ["", "\n", "{}\n", "[1]\n", "{\"format\":\"tar\",\"version\":1}\n", "hello"] {
        assert!(matches!(read(other.as_bytes()), Err(Error::NotABackup)), "{other:?}");
    }
}

#[test]
fn a_header_that_no_store_has_is_refused_also_under_a_checksum_that_is_right() {
    let sealed = |from: &str, to: &str| {
        let text = String::from_utf8(write(&BTreeMap::new())).unwrap();
        let line = text.lines().next().unwrap().replace(from, to) + "\n";
        assert!(!text.starts_with(&line), "{from} is there");
        let mut seal = Seal::default();
        seal.digest.update(&line);
        read(&[line.into_bytes(), seal.trailer()].concat()).map(drop)
    };
    for (from, to) in [
        ("\"revision\":812", "\"revision\":18446744073709551615"),
        ("\"revision\":812", "\"revision\":9007199254740993"),
        ("\"term\":640", "\"term\":9007199254740993"),
        ("\"term\":640", "\"term\":-1"),
        ("\"store\":\"etcd\"", "\"store\":\"\\u001b[2J\""),
        ("\"store\":\"etcd\"", "\"store\":\"memory\""),
    ] {
        let error = sealed(from, to).unwrap_err();
        assert!(matches!(error, Error::Damaged { line: 1, .. }), "{to}: {error}");
    }
    assert!(sealed("\"revision\":812", "\"revision\":9007199254740992").is_ok());
    assert!(sealed("\"store\":\"etcd\"", "\"store\":\"embedded\"").is_ok());
}

#[test]
fn a_line_without_an_end_is_given_up_before_it_fills_the_memory() {
    let mut endless = write(&some());
    let trailer = endless.iter().rev().skip(1).position(|byte| *byte == b'\n').unwrap();
    endless.truncate(endless.len() - trailer - 1);
    let endless = endless.chain(io::repeat(b'x'));
    let mut reader = Reader::open(io::BufReader::new(endless)).unwrap();
    let error = reader.find_map(Result::err).unwrap();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(reader.line.capacity() <= 2 * LINE_BYTES_MAX && reader.next().is_none());
}

#[test]
fn the_largest_entry_has_room_in_a_line() {
    let largest = BTreeMap::from([("\u{1}".repeat(KEY_LENGTH_MAX), vec![0xff; VALUE_LENGTH_MAX])]);
    assert_eq!(read(&write(&largest)).unwrap(), largest);
}

#[test]
fn contents_are_counted_by_kind_and_the_file_is_as_documented() {
    let bytes = write(&some());
    let text = String::from_utf8(bytes.clone()).unwrap();
    let first = r#"{"format":"ostler-backup","version":1,"created":"2026-11-21T09:00:00Z","store":"etcd","revision":812,"term":640,"ostler":""#;
    assert!(text.starts_with(first), "{text}");
    assert!(text.contains("\n{\"key\":\"a/1\",\"value\":\"b25l\"}\n"), "{text}");
    let contents = Reader::open(&bytes[..]).unwrap().contents().unwrap();
    assert_eq!((contents.entries, contents.value_bytes), (4, 18));
    assert_eq!(contents.kinds["a"], Kind { entries: 2, value_bytes: 3 });
    assert_eq!(contents.kinds.len(), 3);
    let before = text.trim_end().rfind('\n').unwrap() + 1;
    assert_eq!(contents.sha256, hex(&Sha256::digest(&bytes[..before])));
    let trailer = format!("{{\"entries\":4,\"value_bytes\":18,\"sha256\":\"{}\"}}\n", contents.sha256);
    assert_eq!(&text[before..], trailer);
}

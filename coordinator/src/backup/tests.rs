use std::io::{Read, Write};
use std::net::TcpListener;

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn header(position: Position) -> Header {
    Header::new(at(0), Origin::Etcd, position)
}

/// Any of the stores that a fleet has had: one that was made anew, or filled at a second, and then written to for a while
/// by at most as many revisions a second as etcd can make.
const RATE_MAX: u64 = 100_000;

proptest! {
    #[test]
    fn a_floor_is_above_every_store_that_a_fleet_can_have_had_also_those_that_the_backup_does_not_know(
        filled in proptest::option::of(1_700_000_000_i64..1_800_000_000),
        lived in 0_i64..100_000_000,
        rate in 0..RATE_MAX,
        later in 1_i64..100_000_000,
        known in any::<(u32, u32)>(),
    ) {
        let born = filled.unwrap_or(1_700_000_000);
        let start = filled.map_or(0, |second| floor(&header(Position::default()), Position::default(), at(second)).unwrap());
        let lost = start + rate * lived as u64;
        // An older backup is restored, into a store that knows nothing of the one that was lost.
        let backup = header(Position { revision: u64::from(known.0), term: u64::from(known.1) });
        let next = floor(&backup, Position::default(), at(born + lived + later)).unwrap();
        prop_assert!(next > lost, "{next} <= {lost}");
    }

    #[test]
    fn a_floor_is_above_a_store_that_another_clock_restored_once_it_has_passed_what_that_one_was_ahead(
        ahead in 0_i64..1_000_000, waited in 0_i64..2_000_000,
    ) {
        let nothing = header(Position::default());
        let restored = 1_700_000_000;
        let lost = floor(&nothing, Position::default(), at(restored + ahead)).unwrap();
        let next = floor(&nothing, Position::default(), at(restored + waited)).unwrap();
        prop_assert_eq!(next > lost, waited > ahead, "{} after {}", next, lost);
        // A backup of the lost store, or the store itself, makes up for it.
        let known = header(Position { revision: lost, term: lost });
        prop_assert!(floor(&known, Position::default(), at(restored + waited)).unwrap() > lost);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lower_the_floor_under_what_is_known(
        numbers in any::<[u32; 4]>(), second in -10_i64..4_000
    ) {
        let [a, b, c, d] = numbers.map(u64::from);
        let target = Position { revision: c, term: d };
        let floor = floor(&header(Position { revision: a, term: b }), target, at(second)).unwrap();
        prop_assert!(floor > a.max(b).max(c).max(d));
    }
}

#[test]
fn a_floor_that_terms_cannot_go_on_above_is_refused() {
    let bricked = Position { revision: u64::MAX, term: 0 };
    let refused = floor(&header(Position::default()), bricked, at(1_700_000_000));
    assert!(matches!(refused, Err(Error::FloorTooHigh { floor: u64::MAX })));
    let last = header(Position { revision: REVISION_MAX, term: 0 });
    assert!(matches!(floor(&last, Position::default(), at(0)), Err(Error::FloorTooHigh { .. })));
    let in_2286 = at(10_000_000_000);
    assert!(floor(&header(Position::default()), Position::default(), in_2286).is_err());
    assert!(floor(&header(Position::default()), Position::default(), at(9_000_000_000)).is_ok());
}

#[tokio::test]
async fn an_object_for_which_there_is_no_room_is_told_as_that_and_not_as_a_trouble_of_the_bucket() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let asked = stream.read(&mut [0; 4_096]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").unwrap();
        asked
    });
    let settings = s3::Settings { endpoint: Some(endpoint), ..s3::Settings::default() };
    let place = "s3://b/x.backup".parse::<Target>().unwrap().open(&settings).unwrap();
    let mut full = File::options().write(true).open("/dev/full").unwrap();
    let error = place.fetch("x.backup", &mut full).await.unwrap_err();
    assert!(matches!(error, Error::Staging(_)) && error.to_string().contains("TMPDIR"), "{error}");
    assert!(server.join().unwrap() > 0);
}

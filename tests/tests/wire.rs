//! Both ends of the wire mean the same, although neither knows the other's code.

use ostler_agent::range;
use ostler_core::metric::Metric;
use ostler_proto::v1;

#[test]
fn what_an_agent_may_send_is_what_the_coordinator_takes() {
    for &metric in Metric::ALL {
        let wire =
            v1::Metric::try_from(i32::from(metric.number())).expect("core and wire have the same metrics");
        assert_eq!(range::allowed(wire), metric.range(), "{}", metric.name());
        assert!(metric.range().contains(&0), "{}: an absent slot carries 0", metric.name());
    }
}

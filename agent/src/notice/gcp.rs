//! Google's metadata server: preemption and host maintenance.

use ostler_proto::v1::MaintenanceKind;

use super::{
    fold::Notice,
    http::{Client, Error},
};

const PREEMPTED: &str = "/computeMetadata/v1/instance/preempted";
const MAINTENANCE: &str = "/computeMetadata/v1/instance/maintenance-event";
const ID: &str = "/computeMetadata/v1/instance/id";

/// Without it the server refuses, so that a page in a browser cannot ask.
const FLAVOR: (&str, &str) = ("Metadata-Flavor", "Google");

/// Whether this machine is Google's: only that server returns the header.
pub(super) async fn is_here(client: &Client) -> bool {
    let answer = client.get(ID, &[FLAVOR]).await;
    answer.is_ok_and(|answer| {
        answer.status.is_success()
            && answer.headers.get("Metadata-Flavor").is_some_and(|flavor| flavor == "Google")
    })
}

pub(super) async fn ask(client: &Client) -> Result<Vec<Notice>, Error> {
    let mut notices = Vec::new();
    if let Some(text) = client.get(PREEMPTED, &[FLAVOR]).await?.found(PREEMPTED)? {
        notices.extend(preempted(&text));
    }
    if let Some(text) = client.get(MAINTENANCE, &[FLAVOR]).await?.found(MAINTENANCE)? {
        notices.extend(maintenance(&text));
    }
    Ok(notices)
}

/// "TRUE" once the machine is being taken back; it then has some 30 s.
fn preempted(text: &str) -> Option<Notice> {
    text.trim().eq_ignore_ascii_case("TRUE").then(|| Notice {
        key: "preempted".to_owned(),
        unique: false,
        kind: MaintenanceKind::SpotInterruption,
        begins: None,
        detail: "the instance is being preempted".to_owned(),
    })
}

/// "NONE", or what is about to happen to the host: in a minute, or in an hour for a machine with GPUs.
fn maintenance(text: &str) -> Option<Notice> {
    let kind = match text.trim() {
        "MIGRATE_ON_HOST_MAINTENANCE" => MaintenanceKind::Migrate,
        "TERMINATE_ON_HOST_MAINTENANCE" => MaintenanceKind::Terminate,
        _ => return None,
    };
    Some(Notice {
        key: text.trim().to_lowercase(),
        unique: false,
        kind,
        begins: None,
        detail: format!("host maintenance: {}", text.trim()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_is_a_preemption() {
        assert!(preempted("TRUE\n").is_some());
        for text in ["FALSE", "", "<html>TRUE</html>"] {
            assert_eq!(preempted(text), None, "{text}");
        }
    }

    #[test]
    fn the_two_kinds_of_host_maintenance_differ() {
        assert_eq!(maintenance("NONE"), None);
        assert_eq!(maintenance("MIGRATE_ON_HOST_MAINTENANCE").unwrap().kind, MaintenanceKind::Migrate);
        assert_eq!(maintenance("TERMINATE_ON_HOST_MAINTENANCE").unwrap().kind, MaintenanceKind::Terminate);
        assert_eq!(maintenance("garbage"), None);
    }
}

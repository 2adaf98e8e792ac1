//! Azure's scheduled events.

use jiff::fmt::rfc2822;
use ostler_proto::v1::MaintenanceKind;
use serde::Deserialize;

use super::{
    fold::Notice,
    http::{Client, Error, json},
};

const EVENTS: &str = "/metadata/scheduledevents?api-version=2020-07-01";
const NAME: &str = "/metadata/instance/compute/name?api-version=2021-02-01&format=text";

/// Without it the service refuses, so that a page in a browser cannot ask.
const METADATA: (&str, &str) = ("Metadata", "true");

/// Whether this machine is Azure's.
pub(super) async fn is_here(client: &Client) -> bool {
    let answer = client.get(NAME, &[METADATA]).await;
    answer.is_ok_and(|answer| answer.status.is_success() && !answer.text.trim().is_empty())
}

/// Asks, and keeps the machine's own name: events of its neighbours in an availability set are told too.
#[derive(Debug)]
pub(super) struct Asker {
    client: Client,
    name: Option<String>,
}

impl Asker {
    pub(super) fn new(client: Client) -> Self {
        Self { client, name: None }
    }

    pub(super) async fn ask(&mut self) -> Result<Vec<Notice>, Error> {
        if self.name.is_none() {
            let name = self.client.get(NAME, &[METADATA]).await?.found(NAME)?;
            self.name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        }
        // The first request of a machine's life may take two minutes: the service is then being switched on.
        let Some(text) = self.client.get(EVENTS, &[METADATA]).await?.found(EVENTS)? else {
            return Ok(Vec::new());
        };
        events(&text, self.name.as_deref())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    event_id: String,
    event_type: String,
    #[serde(default)]
    event_status: String,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    not_before: String,
    #[serde(default)]
    description: String,
}

fn events(text: &str, name: Option<&str>) -> Result<Vec<Notice>, Error> {
    let Document { events } = json(EVENTS, text)?;
    let ours = |event: &Event| {
        name.is_none_or(|name| {
            event.resources.is_empty() || event.resources.iter().any(|resource| resource.ends_with(name))
        })
    };
    let over = |event: &Event| matches!(event.event_status.as_str(), "Completed" | "Canceled");
    Ok(events.into_iter().filter(|event| ours(event) && !over(event)).filter_map(notice).collect())
}

fn notice(event: Event) -> Option<Notice> {
    let kind = match event.event_type.as_str() {
        "Preempt" => MaintenanceKind::SpotInterruption,
        "Reboot" => MaintenanceKind::Reboot,
        "Redeploy" => MaintenanceKind::Redeploy,
        "Freeze" => MaintenanceKind::Freeze,
        "Terminate" => MaintenanceKind::Terminate,
        _ => return None,
    };
    Some(Notice {
        key: event.event_id,
        unique: true,
        kind,
        // Empty once the event has started.
        begins: rfc2822::parse(&event.not_before).ok().map(|time| time.timestamp()),
        detail: format!("{} ({}): {}", event.event_type, event.event_status, event.description),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"DocumentIncarnation": 2, "Events": [
        {"EventId": "f0", "EventStatus": "Scheduled", "EventType": "Preempt", "ResourceType": "VirtualMachine",
         "Resources": ["gpu_0", "gpu_1"], "NotBefore": "Mon, 19 Sep 2016 18:29:47 GMT", "Description": "",
         "EventSource": "Platform", "DurationInSeconds": -1},
        {"EventId": "f1", "EventStatus": "Started", "EventType": "Freeze", "Resources": ["gpu_1"], "NotBefore": ""},
        {"EventId": "f2", "EventStatus": "Completed", "EventType": "Reboot", "Resources": ["gpu_0"]},
        {"EventId": "f3", "EventStatus": "Scheduled", "EventType": "Novelty", "Resources": ["gpu_0"]}]}"#;

    fn keys(name: Option<&str>) -> Vec<String> {
        events(TEXT, name).unwrap().into_iter().map(|notice| notice.key).collect()
    }

    #[test]
    fn only_standing_events_of_this_machine_are_told() {
        assert_eq!(keys(Some("gpu_0")), ["f0"]);
        assert_eq!(keys(Some("gpu_1")), ["f0", "f1"]);
        assert_eq!(keys(None), ["f0", "f1"]);
    }

    #[test]
    fn the_time_before_which_nothing_happens_is_the_beginning() {
        let notice = &events(TEXT, Some("gpu_0")).unwrap()[0];
        assert_eq!(notice.kind, MaintenanceKind::SpotInterruption);
        assert_eq!(notice.begins, Some("2016-09-19T18:29:47Z".parse().unwrap()));
    }

    #[test]
    fn no_events_and_garbage_differ() {
        assert_eq!(events(r#"{"DocumentIncarnation": 1, "Events": []}"#, None).unwrap(), []);
        assert!(events("<html>", None).is_err());
        assert!(events(r#"{"Events": 7}"#, None).is_err());
    }
}

//! Amazon's instance metadata, version 2: spot interruptions, rebalance recommendations, scheduled events.

use http::StatusCode;
use jiff::{Timestamp, fmt::rfc2822};
use ostler_proto::v1::MaintenanceKind;
use serde::Deserialize;

use super::{
    fold::Notice,
    http::{Client, Error, json},
};

const TOKEN: &str = "/latest/api/token";
const SPOT: &str = "/latest/meta-data/spot/instance-action";
const REBALANCE: &str = "/latest/meta-data/events/recommendations/rebalance";
const SCHEDULED: &str = "/latest/meta-data/events/maintenance/scheduled";

/// Six hours, the longest the service grants; a token that it forgets earlier is asked for again.
const TOKEN_SECONDS: &str = "21600";

/// Whether this machine is Amazon's.
pub(super) async fn is_here(client: &Client) -> bool {
    fetch_token(client).await.is_ok_and(|token| !token.is_empty())
}

async fn fetch_token(client: &Client) -> Result<String, Error> {
    let answer = client.put(TOKEN, &[("X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS)]).await?;
    match answer.status {
        StatusCode::OK => Ok(answer.text.trim().to_owned()),
        status => Err(Error::Status { path: TOKEN.to_owned(), status }),
    }
}

/// Asks with a token that is kept between requests.
#[derive(Debug)]
pub(super) struct Asker {
    client: Client,
    token: Option<String>,
}

impl Asker {
    pub(super) fn new(client: Client) -> Self {
        Self { client, token: None }
    }

    pub(super) async fn ask(&mut self) -> Result<Vec<Notice>, Error> {
        let mut notices = Vec::new();
        if let Some(text) = self.get(SPOT).await? {
            notices.push(spot(&text)?);
        }
        if let Some(text) = self.get(REBALANCE).await? {
            notices.push(rebalance(&text)?);
        }
        if let Some(text) = self.get(SCHEDULED).await? {
            notices.extend(scheduled(&text)?);
        }
        Ok(notices)
    }

    async fn get(&mut self, path: &str) -> Result<Option<String>, Error> {
        let token = match self.token.take() {
            Some(token) => token,
            None => fetch_token(&self.client).await?,
        };
        let mut answer = self.client.get(path, &[("X-aws-ec2-metadata-token", &token)]).await?;
        self.token = Some(token);
        if answer.status == StatusCode::UNAUTHORIZED {
            let token = fetch_token(&self.client).await?;
            answer = self.client.get(path, &[("X-aws-ec2-metadata-token", &token)]).await?;
            self.token = Some(token);
        }
        answer.found(path)
    }
}

#[derive(Deserialize)]
struct Spot {
    action: String,
    time: Option<String>,
}

fn spot(text: &str) -> Result<Notice, Error> {
    let Spot { action, time } = json(SPOT, text)?;
    let time = time.unwrap_or_default();
    Ok(Notice {
        key: format!("spot-{action}-{time}"),
        unique: true,
        kind: MaintenanceKind::SpotInterruption,
        begins: time.parse().ok(),
        detail: format!("the spot instance will be subject to: {action}"),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rebalance {
    notice_time: String,
}

fn rebalance(text: &str) -> Result<Notice, Error> {
    let Rebalance { notice_time } = json(REBALANCE, text)?;
    Ok(Notice {
        key: format!("rebalance-{notice_time}"),
        unique: true,
        kind: MaintenanceKind::Rebalance,
        begins: None,
        detail: format!("the risk of an interruption has risen at {notice_time}"),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scheduled {
    event_id: String,
    code: String,
    #[serde(default)]
    not_before: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    state: String,
}

fn scheduled(text: &str) -> Result<Vec<Notice>, Error> {
    let events: Vec<Scheduled> = json(SCHEDULED, text)?;
    let over = |event: &Scheduled| {
        matches!(event.state.to_lowercase().as_str(), "completed" | "canceled" | "cancelled")
    };
    let notice = |event: Scheduled| Notice {
        kind: match event.code.as_str() {
            "instance-reboot" | "system-reboot" => MaintenanceKind::Reboot,
            "instance-retirement" | "instance-stop" => MaintenanceKind::Terminate,
            // "system-maintenance" and what may come: a short loss of network or power.
            _ => MaintenanceKind::Freeze,
        },
        key: event.event_id,
        unique: true,
        begins: timestamp(&event.not_before),
        detail: format!("{}: {}", event.code, event.description),
    };
    Ok(events.into_iter().filter(|event| !over(event)).map(notice).collect())
}

/// "21 Jan 2019 09:00:43 GMT"
fn timestamp(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_has_an_action_and_a_time() {
        let notice = spot(r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z"}"#).unwrap();
        assert_eq!(notice.kind, MaintenanceKind::SpotInterruption);
        assert_eq!(notice.begins, Some("2017-09-18T08:22:00Z".parse().unwrap()));
    }

    #[test]
    fn a_rebalance_recommendation_has_no_beginning() {
        let notice = rebalance(r#"{"noticeTime": "2020-11-05T08:22:00Z"}"#).unwrap();
        assert_eq!((notice.kind, notice.begins), (MaintenanceKind::Rebalance, None));
    }

    #[test]
    fn scheduled_events_that_are_over_do_not_stand() {
        let text = r#"[
            {"NotBefore": "21 Jan 2019 09:00:43 GMT", "Code": "system-reboot", "Description": "scheduled reboot",
             "EventId": "instance-event-1", "NotAfter": "21 Jan 2019 09:17:23 GMT", "State": "active"},
            {"NotBefore": "29 Jan 2019 09:00:43 GMT", "Code": "instance-retirement", "Description": "[Canceled]",
             "EventId": "instance-event-2", "State": "canceled"},
            {"Code": "instance-stop", "EventId": "instance-event-3"}]"#;
        let notices = scheduled(text).unwrap();
        let kinds: Vec<_> = notices.iter().map(|notice| (notice.key.as_str(), notice.kind)).collect();
        assert_eq!(
            kinds,
            [("instance-event-1", MaintenanceKind::Reboot), ("instance-event-3", MaintenanceKind::Terminate)]
        );
        assert_eq!(notices[0].begins, Some("2019-01-21T09:00:43Z".parse().unwrap()));
    }

    #[test]
    fn garbage_is_an_error_that_names_the_path() {
        for text in ["", "null", "<html>", "{}", "[1]"] {
            assert!(spot(text).unwrap_err().to_string().contains(SPOT), "{text}");
            assert!(scheduled(text).is_err() || text == "[]", "{text}");
        }
    }
}

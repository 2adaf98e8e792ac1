//! Huawei Cloud's OpenStack-compatible metadata, as far as it is known (see the parent module).

use http::StatusCode;
use ostler_proto::v1::MaintenanceKind;
use serde::Deserialize;

use super::{
    fold::Notice,
    http::{Client, Error},
};

const TOKEN: &str = "/meta-data/latest/api/token";
const SPOT: &str = "/openstack/latest/spot/instance-action";
const META: &str = "/openstack/latest/meta_data.json";

/// Six hours.
const TOKEN_SECONDS: &str = "21600";

/// Whether this machine is Huawei Cloud's: other OpenStack clouds do not say how a server is charged.
pub(super) async fn is_here(client: &Client) -> bool {
    let answer = client.get(META, &[]).await;
    answer.is_ok_and(|answer| answer.status.is_success() && answer.text.contains("\"charging_mode\""))
}

/// Asks, with a token where the service wants one.
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
        let mut answer = self.get().await?;
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let token = self.client.put(TOKEN, &[("X-Metadata-Token-Ttl-Seconds", TOKEN_SECONDS)]).await?;
            if token.status != StatusCode::OK {
                return Err(Error::Status { path: TOKEN.to_owned(), status: token.status });
            }
            self.token = Some(token.text.trim().to_owned());
            answer = self.get().await?;
        }
        Ok(answer.found(SPOT)?.map(|text| spot(&text)).into_iter().collect())
    }

    async fn get(&self) -> Result<super::http::Answer, Error> {
        match &self.token {
            Some(token) => self.client.get(SPOT, &[("X-Metadata-Token", token)]).await,
            None => self.client.get(SPOT, &[]).await,
        }
    }
}

#[derive(Default, Deserialize)]
struct Action {
    #[serde(default)]
    action: String,
    #[serde(default, alias = "timestamp", alias = "termination_time")]
    time: String,
}

/// Any answer is an interruption; the time is taken when it is one.
fn spot(text: &str) -> Notice {
    let Action { action, time } = serde_json::from_str(text).unwrap_or_default();
    Notice {
        key: "spot".to_owned(),
        unique: false,
        kind: MaintenanceKind::SpotInterruption,
        begins: time.parse().ok(),
        detail: match action.as_str() {
            "" => "the spot server will be taken back".to_owned(),
            action => format!("the spot server will be subject to: {action}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_answer_is_an_interruption_and_a_time_is_taken_when_there_is_one() {
        let notice = spot(r#"{"action": "terminate", "time": "2026-01-05T18:02:00Z"}"#);
        assert_eq!(notice.begins, Some("2026-01-05T18:02:00Z".parse().unwrap()));
        for text in ["", "terminate", "[]", r#"{"time": "soon"}"#] {
            let notice = spot(text);
            assert_eq!((notice.kind, notice.begins), (MaintenanceKind::SpotInterruption, None), "{text}");
        }
    }
}

//! `ostler explain`, `ostler hold` and `ostler release`: why something was or was not done, and how people stop it.

use std::time::Duration;

use ostler_proto::v1;

use crate::args::{self, Server};
use crate::client::Client;
use crate::error::Error;
use crate::output::{Output, units};

/// Longest hold that ends by itself: what the wire can hold.
const HOLD_MAX: Duration = Duration::from_millis(u32::MAX as u64);

/// Explains a decision, or the newest ones about a node or zone.
pub(crate) async fn explain(server: &Server, options: args::Explain, output: Output) -> Result<(), Error> {
    let explanation = Client::connect(server).await?.explain(&options.name).await?;
    if output.for_programs() {
        return output.value(&serde_json::to_value(&explanation).map_err(std::io::Error::other)?);
    }
    let lines: Vec<String> = explanation.text.lines().map(units::harmless).collect();
    output.line(lines.join("\n").trim_end())
}

/// Has nothing done in a scope.
pub(crate) async fn hold(server: &Server, options: args::Hold, output: Output) -> Result<(), Error> {
    let args::Hold { scope, lasts, order } = options;
    let millis = |lasts: Duration| match u32::try_from(lasts.as_millis()) {
        Ok(0) => Err(Error::Usage("--for: a hold must last longer than nothing".to_owned())),
        Ok(millis) => Ok(millis),
        Err(_) => Err(Error::Usage(format!(
            "--for: at most {} days; leave it out to hold until it is released",
            HOLD_MAX.as_secs() / 86_400
        ))),
    };
    let expires_in_ms = lasts.map(millis).transpose()?.unwrap_or(0);
    let order = wire(order);
    let request = v1::HoldRequest { order: Some(order.clone()), scope, expires_in_ms };
    let given = Client::connect(server).await?.hold(request).await;
    answer(&given.map_err(|error| named(error, order))?, output)
}

/// Ends holds and latches of a scope.
pub(crate) async fn release(server: &Server, options: args::Release, output: Output) -> Result<(), Error> {
    let order = wire(options.order);
    let request = v1::ReleaseRequest { order: Some(order.clone()), scope: options.scope };
    let given = Client::connect(server).await?.release(request).await;
    answer(&given.map_err(|error| named(error, order))?, output)
}

/// An error with the name of the order, unless the order itself is wrong.
fn named(error: Error, order: v1::Order) -> Error {
    match error {
        Error::Usage(_) => error,
        Error::Unavailable { .. }
        | Error::NotNow(_)
        | Error::Order { .. }
        | Error::Failed(_)
        | Error::Io(_) => Error::Order { error: Box::new(error), request_id: order.request_id },
    }
}

fn answer(response: &v1::ControlResponse, output: Output) -> Result<(), Error> {
    if output.for_programs() {
        return output.value(&serde_json::to_value(response).map_err(std::io::Error::other)?);
    }
    output.line(&units::clean(&response.message))
}

fn wire(order: args::Order) -> v1::Order {
    let args::Order { reason, operator, dry_run, request_id } = order;
    let request_id = request_id.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    v1::Order { request_id, reason, operator, dry_run }
}

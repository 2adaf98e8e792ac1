//! stub
use crate::{args::Up, error::Error, output::Output};
pub(crate) fn run(_options: Up, _output: Output) -> Result<(), Error> {
    Ok(())
}

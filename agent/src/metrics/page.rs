//! A page in the Prometheus text format, with the samples of each family kept together.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
};

/// Labels, escaped and joined: `{a="1",b="2"}`, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels(String);

impl Labels {
    pub(super) fn new(labels: &[(&str, &str)]) -> Self {
        Self::default().and(labels)
    }

    /// These and more.
    pub(super) fn and(&self, more: &[(&str, &str)]) -> Self {
        let mut text = self.0.clone();
        for (name, value) in more {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            text.push_str("=\"");
            for character in value.chars() {
                match character {
                    '\\' => text.push_str("\\\\"),
                    '"' => text.push_str("\\\""),
                    '\n' => text.push_str("\\n"),
                    other => text.push(other),
                }
            }
            text.push('"');
        }
        Self(text)
    }
}

#[derive(Debug)]
struct Kept {
    name: String,
    /// HELP and TYPE, and then the samples.
    text: String,
}

/// The families so far, in the order in which they were first named.
#[derive(Debug, Default)]
pub(super) struct Page {
    families: Vec<Kept>,
    by_name: BTreeMap<String, usize>,
}

/// One family, to add samples to.
#[derive(Debug)]
pub(super) struct Family<'a>(&'a mut Kept);

impl Page {
    pub(super) fn gauge(&mut self, name: &str, help: &str) -> Family<'_> {
        self.family(name, help, "gauge")
    }

    pub(super) fn counter(&mut self, name: &str, help: &str) -> Family<'_> {
        self.family(name, help, "counter")
    }

    pub(super) fn family(&mut self, name: &str, help: &str, kind: &str) -> Family<'_> {
        let at = match self.by_name.get(name) {
            Some(at) => *at,
            None => {
                let text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
                self.families.push(Kept { name: name.to_owned(), text });
                self.by_name.insert(name.to_owned(), self.families.len() - 1);
                self.families.len() - 1
            }
        };
        Family(&mut self.families[at])
    }

    pub(super) fn finish(self) -> String {
        self.families.into_iter().map(|family| family.text).collect()
    }
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: &Labels, value: impl Display) {
        let Kept { name, text } = &mut *self.0;
        // Writing into a string cannot fail.
        let _ = if labels.0.is_empty() {
            writeln!(text, "{name} {value}")
        } else {
            writeln!(text, "{name}{{{}}} {value}", labels.0)
        };
    }
}

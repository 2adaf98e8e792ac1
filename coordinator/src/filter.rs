//! Filters of lists and watches: a small language after AIP-160.
//!
//! `zone = "eu-1a" AND (state != OK OR utilization_percent > 90) AND labels.rack:*`. Fields are those of the listed
//! message. A field that has no value is unknown: no comparison with it holds, not even `!=`; `field:*` asks whether there is
//! one. A filter is checked against the message once, when it is parsed, and then evaluates without failing.

use std::collections::BTreeMap;

use crate::mask::Fields;

mod parse;

pub use parse::Error;

/// The value of a field, as a filter sees it.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Unknown.
    Missing,
    /// There, but nothing that can be compared.
    Present,
    /// A number.
    Number(f64),
    /// Text; empty text counts as no value for `:*`.
    Text(&'a str),
    /// `true` or `false`.
    Flag(bool),
    /// The name of an enumeration's value, without its prefix.
    Choice(&'static str),
    /// Several texts.
    Texts(&'a [String]),
    /// Text by key.
    Map(&'a BTreeMap<String, String>),
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Number(f64),
    Text(Pattern),
    Flag(bool),
    Choice(&'static str),
    Anything,
}

/// Text, open at an end where the filter had `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    text: String,
    open: (bool, bool),
}

impl Pattern {
    fn new(text: &str) -> Pattern {
        let (text, front) = text.strip_prefix('*').map_or((text, false), |rest| (rest, true));
        let (text, back) = text.strip_suffix('*').map_or((text, false), |rest| (rest, true));
        Pattern { text: text.to_owned(), open: (front, back) }
    }

    fn matches(&self, text: &str) -> bool {
        match self.open {
            (false, false) => text == self.text,
            (false, true) => text.starts_with(&self.text),
            (true, false) => text.ends_with(&self.text),
            (true, true) => text.contains(&self.text),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Compare { path: Vec<usize>, key: Option<String>, operator: Operator, literal: Literal },
}

/// A filter that fits the message it was parsed for.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    root: Option<Node>,
    fields: u64,
}

impl Filter {
    /// Lets everything through.
    pub fn all() -> Filter {
        Filter { root: None, fields: 0 }
    }

    /// Checks the text against the fields of `M`. Empty text lets everything through.
    pub fn parse<M: Fields>(text: &str) -> Result<Filter, Error> {
        parse::parse(text, M::FIELDS)
    }

    /// Whether it lets everything through.
    pub fn is_all(&self) -> bool {
        self.root.is_none()
    }

    /// The fields that must be filled before it can be asked, one bit for each position.
    pub fn fields(&self) -> u64 {
        self.fields
    }

    /// The text that the field at this position must have for the filter to hold, if it demands one exactly.
    pub fn demands(&self, position: usize) -> Option<&str> {
        self.root.as_ref()?.demands(position)
    }

    /// Whether the message passes. `M` is the type that the filter was parsed for.
    pub fn matches<M: Fields>(&self, message: &M) -> bool {
        self.root.as_ref().is_none_or(|root| root.holds(message))
    }
}

impl Node {
    fn demands(&self, position: usize) -> Option<&str> {
        match self {
            Node::And(parts) => parts.iter().find_map(|part| part.demands(position)),
            Node::Compare { path, key: None, operator: Operator::Equal, literal: Literal::Text(pattern) } => {
                (path[..] == [position] && pattern.open == (false, false)).then_some(&pattern.text)
            }
            Node::Compare { .. } | Node::Or(_) | Node::Not(_) => None,
        }
    }

    /// Recursion is bounded by the depth that the parser allows.
    fn holds<M: Fields>(&self, message: &M) -> bool {
        match self {
            Node::And(parts) => parts.iter().all(|part| part.holds(message)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(message)),
            Node::Not(part) => !part.holds(message),
            Node::Compare { path, key, operator, literal } => {
                let value =
                    path.split_first().map_or(Value::Missing, |(first, rest)| message.value(*first, rest));
                compare(value, key.as_deref(), *operator, literal)
            }
        }
    }
}

fn compare(value: Value<'_>, key: Option<&str>, operator: Operator, literal: &Literal) -> bool {
    let value = match (value, key) {
        (Value::Map(map), Some(key)) => map.get(key).map_or(Value::Missing, |text| Value::Text(text)),
        (value, _) => value,
    };
    match (value, literal) {
        (value, Literal::Anything) => match value {
            Value::Missing => false,
            Value::Text(text) => !text.is_empty(),
            Value::Texts(texts) => !texts.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Present | Value::Number(_) | Value::Flag(_) | Value::Choice(_) => true,
        },
        (Value::Number(value), Literal::Number(number)) => number_holds(value, operator, *number),
        (Value::Text(text), Literal::Text(pattern)) => text_holds(text, operator, pattern),
        (Value::Flag(value), Literal::Flag(flag)) => (value == *flag) != (operator == Operator::NotEqual),
        (Value::Choice(value), Literal::Choice(name)) => (value == *name) != (operator == Operator::NotEqual),
        (Value::Texts(texts), Literal::Text(pattern)) => {
            texts.iter().any(|text| pattern.matches(text)) != (operator == Operator::NotEqual)
        }
        (Value::Map(map), Literal::Text(pattern)) => {
            map.keys().any(|key| pattern.matches(key)) != (operator == Operator::NotEqual)
        }
        _ => false,
    }
}

fn number_holds(value: f64, operator: Operator, number: f64) -> bool {
    match operator {
        Operator::Equal | Operator::Has => value == number,
        Operator::NotEqual => value != number,
        Operator::Less => value < number,
        Operator::LessOrEqual => value <= number,
        Operator::Greater => value > number,
        Operator::GreaterOrEqual => value >= number,
    }
}

fn text_holds(text: &str, operator: Operator, pattern: &Pattern) -> bool {
    match operator {
        Operator::Equal => pattern.matches(text),
        Operator::NotEqual => !pattern.matches(text),
        Operator::Has => text.contains(&pattern.text),
        Operator::Less => text < pattern.text.as_str(),
        Operator::LessOrEqual => text <= pattern.text.as_str(),
        Operator::Greater => text > pattern.text.as_str(),
        Operator::GreaterOrEqual => text >= pattern.text.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use ostler_proto::v1;

    use super::*;

    fn gpu() -> v1::Gpu {
        v1::Gpu {
            name: "GPU-1".into(),
            zone: "eu-1a".into(),
            model: "NVIDIA H200".into(),
            state: v1::GpuState::Lost as i32,
            utilization_percent: Some(95.0),
            ..Default::default()
        }
    }

    fn node() -> v1::Node {
        v1::Node {
            name: "n1".into(),
            connected: true,
            labels: [("rack".to_owned(), "r7".to_owned()), ("a.b/c".to_owned(), "x y".to_owned())].into(),
            ..Default::default()
        }
    }

    #[test]
    fn comparisons_hold_as_written() {
        let cases = [
            (r#"zone = "eu-1a" AND (state != OK OR utilization_percent > 90)"#, true),
            ("zone=eu-1a", true),
            ("zone = eu-*", true),
            ("zone = *-1a AND model = *H200*", true),
            ("model:H200", true),
            ("state = LOST", true),
            ("state = lost", true),
            ("state = GPU_STATE_LOST", true),
            ("NOT state = LOST", false),
            ("utilization_percent >= 95", true),
            ("utilization_percent < 95.0", false),
            ("power_watts > 0", false),
            ("power_watts != 3", false),
            ("NOT power_watts:*", true),
            ("utilization_percent:*", true),
            ("name < \"GPU-2\"", true),
            ("zone = a OR zone = b OR zone = eu-1a AND NOT name = x", true),
            ("", true),
            ("  ", true),
        ];
        for (text, expected) in cases {
            let filter = Filter::parse::<v1::Gpu>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.matches(&gpu()), expected, "{text}");
        }
    }

    #[test]
    fn maps_flags_and_nested_messages_are_compared() {
        let cases = [
            ("labels.rack = r7", true),
            (r#"labels."a.b/c" = "x y""#, true),
            ("labels:rack", true),
            ("labels:row", false),
            ("labels.row != r7", false),
            ("connected = true", true),
            ("simulated = true", false),
        ];
        for (text, expected) in cases {
            let filter = Filter::parse::<v1::Node>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.matches(&node()), expected, "{text}");
        }
        let signals = Some(v1::Signals { requests_waiting: Some(7.0), ..Default::default() });
        let pool = v1::Pool { name: "chat".into(), signals, zones: vec!["a".into()], ..Default::default() };
        assert!(
            Filter::parse::<v1::Pool>("signals.requests_waiting > 5 AND zones:a").unwrap().matches(&pool)
        );
        assert!(!Filter::parse::<v1::Pool>("signals.requests_running >= 0").unwrap().matches(&pool));
    }

    #[test]
    fn a_filter_demands_a_text_only_where_nothing_else_could_pass() {
        let demands = |text: &str| Filter::parse::<v1::Gpu>(text).unwrap().demands(1).map(str::to_owned);
        assert_eq!(demands("node = a").as_deref(), Some("a"));
        assert_eq!(demands("zone = z AND (index = 1 AND node = \"a\")").as_deref(), Some("a"));
        for open in
            ["node = a OR zone = z", "NOT node = a", "node = a*", "node != a", "node:a", "zone = a", ""]
        {
            assert_eq!(demands(open), None, "{open}");
        }
    }

    #[test]
    fn a_filter_names_the_fields_it_needs() {
        let filter = Filter::parse::<v1::Gpu>("name = a OR NOT zone = b").unwrap();
        assert_eq!(filter.fields(), 0b101);
        assert_eq!(Filter::all().fields(), 0);
    }
}

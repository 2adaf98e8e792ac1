//! Which fields of a message to fill, and what a filter may compare: the messages of the read API described as data.
//!
//! A mask is checked once against the message it selects from and then costs a bit test a field. Nothing here knows
//! what a field means.

use std::collections::BTreeMap;

use crate::filter::Value;

mod messages;

/// Paths that one mask may name: more than any message here has fields.
const PATHS_MAX: usize = 64;

/// What a filter can do with a field.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A number.
    Number,
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// One of these names.
    Choice(fn() -> Vec<&'static str>),
    /// Several texts.
    Texts,
    /// Text by key.
    Map,
    /// A message with fields of its own.
    Message(&'static [Field]),
    /// Cannot be compared.
    Opaque,
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// As in the `.proto` file.
    pub name: &'static str,
    /// What a filter can do with it.
    pub kind: Type,
    /// Whether it is left out unless a mask names it.
    pub on_request: bool,
}

/// A message whose fields can be selected and compared.
pub trait Fields: Default {
    /// Its fields, in the order of the `.proto` file; at most 64.
    const FIELDS: &'static [Field];

    /// The value of the field at this position of [`Fields::FIELDS`], or of the field inside it that `path` leads to.
    fn value(&self, position: usize, path: &[usize]) -> Value<'_>;

    /// Empties the fields that the mask does not select.
    fn keep(&mut self, mask: &Mask);
}

/// Why a mask cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such field.
    #[error("field_mask: {path:?} is not a field here; fields are {fields}")]
    Unknown {
        /// As given.
        path: String,
        /// What there is, separated by commas.
        fields: String,
    },
    /// Longer than any sensible mask.
    #[error("field_mask: {0} paths, at most {PATHS_MAX} are allowed")]
    TooLong(usize),
}

/// The fields to fill, one bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    bits: u64,
    nested: Vec<(usize, Mask)>,
}

impl Mask {
    /// Everything but what must be asked for by name.
    pub fn default_of<M: Fields>() -> Mask {
        Mask::default_for(M::FIELDS)
    }

    /// Nothing.
    pub fn none() -> Mask {
        Mask { bits: 0, nested: Vec::new() }
    }

    fn default_for(fields: &[Field]) -> Mask {
        let bits =
            fields.iter().enumerate().filter(|(_, field)| !field.on_request).map(|(i, _)| 1 << i).sum();
        Mask { bits, nested: Vec::new() }
    }

    /// The mask that these paths name; no path at all means the default, `*` means every field.
    pub fn parse<M: Fields>(paths: &[String]) -> Result<Mask, Error> {
        if paths.is_empty() {
            return Ok(Mask::default_of::<M>());
        }
        if paths.len() > PATHS_MAX {
            return Err(Error::TooLong(paths.len()));
        }
        let mut mask = Mask::none();
        for path in paths {
            mask.add(path.trim(), M::FIELDS).ok_or_else(|| Error::Unknown {
                path: path.chars().take(64).collect(),
                fields: names(M::FIELDS),
            })?;
        }
        Ok(mask)
    }

    fn add(&mut self, path: &str, fields: &'static [Field]) -> Option<()> {
        if path == "*" {
            self.bits = (0..fields.len()).map(|i| 1 << i).sum();
            self.nested.clear();
            return Some(());
        }
        let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
        let position = fields.iter().position(|field| field.name == head)?;
        let whole_before = self.has(position) && !self.nested.iter().any(|(at, _)| *at == position);
        self.bits |= 1 << position;
        match (rest, fields[position].kind) {
            (None, _) => self.nested.retain(|(at, _)| *at != position),
            (Some(rest), Type::Message(inner)) => {
                let known = self.nested.iter().position(|(at, _)| *at == position);
                let mut part = known.map_or_else(Mask::none, |i| self.nested.swap_remove(i).1);
                part.add(rest, inner)?;
                if !whole_before {
                    self.nested.push((position, part));
                }
            }
            (Some(_), _) => return None,
        }
        Some(())
    }

    /// Whether the field at this position is wanted, at least in part.
    pub fn has(&self, position: usize) -> bool {
        self.bits & (1 << position) != 0
    }

    /// Whether the field of this name is wanted, at least in part.
    pub fn wants<M: Fields>(&self, name: &str) -> bool {
        M::FIELDS.iter().position(|field| field.name == name).is_some_and(|position| self.has(position))
    }

    /// What is wanted of the message in the field at this position, if not all of it.
    pub fn inside(&self, position: usize) -> Option<&Mask> {
        self.nested.iter().find(|(at, _)| *at == position).map(|(_, mask)| mask)
    }

    /// This mask and the name, which is the first field of every entry.
    pub fn with_name(&self) -> Mask {
        Mask { bits: self.bits | 1, nested: self.nested.clone() }
    }

    /// This mask and, whole, the fields whose bits are set.
    pub fn with_bits(&self, bits: u64) -> Mask {
        Mask { bits: self.bits | bits, nested: Vec::new() }
    }
}

/// The position of a field that is known to exist; an unknown name stops the compiler.
///
/// # Panics
/// When there is no such field.
pub const fn find(fields: &[Field], name: &str) -> usize {
    let mut at = 0;
    while at < fields.len() {
        if same(fields[at].name.as_bytes(), name.as_bytes()) {
            return at;
        }
        at += 1;
    }
    panic!("no such field");
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    left.len() == right.len()
}

/// The names of fields, separated by commas, for a message to a person.
pub fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

/// A type that a field can have.
trait FieldType {
    const TYPE: Type;
    fn read(&self, path: &[usize]) -> Value<'_>;
    fn narrow(&mut self, _mask: &Mask) {}
}

impl FieldType for String {
    const TYPE: Type = Type::Text;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        Value::Text(self)
    }
}

impl FieldType for u32 {
    const TYPE: Type = Type::Number;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        Value::Number(f64::from(*self))
    }
}

impl FieldType for u64 {
    const TYPE: Type = Type::Number;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        Value::Number(*self as f64)
    }
}

impl FieldType for f64 {
    const TYPE: Type = Type::Number;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        Value::Number(*self)
    }
}

impl FieldType for Option<f64> {
    const TYPE: Type = Type::Number;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        self.map_or(Value::Missing, Value::Number)
    }
}

impl FieldType for bool {
    const TYPE: Type = Type::Flag;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        Value::Flag(*self)
    }
}

impl FieldType for Vec<String> {
    const TYPE: Type = Type::Texts;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        Value::Texts(self)
    }
}

impl FieldType for BTreeMap<String, String> {
    const TYPE: Type = Type::Map;
    fn read(&self, _path: &[usize]) -> Value<'_> {
        Value::Map(self)
    }
}

/// A message as the only value of a field.
macro_rules! message_field {
    ($($message:ty),*) => {$(
        impl FieldType for Option<$message> {
            const TYPE: Type = Type::Message(<$message as Fields>::FIELDS);
            fn read(&self, path: &[usize]) -> Value<'_> {
                match (self, path) {
                    (Some(message), [first, rest @ ..]) => message.value(*first, rest),
                    (Some(_), []) => Value::Present,
                    (None, _) => Value::Missing,
                }
            }
            fn narrow(&mut self, mask: &Mask) {
                if let Some(message) = self {
                    message.keep(mask);
                }
            }
        }
    )*};
}
use message_field;

#[cfg(test)]
mod tests {
    use ostler_proto::v1;

    use super::*;

    fn paths(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_empty_mask_selects_all_but_readings() {
        let mask = Mask::parse::<v1::Gpu>(&[]).unwrap();
        assert!(mask.wants::<v1::Gpu>("name") && mask.wants::<v1::Gpu>("power_watts"));
        assert!(!mask.wants::<v1::Gpu>("readings"));
        assert!(Mask::parse::<v1::Gpu>(&paths(&["readings"])).unwrap().wants::<v1::Gpu>("readings"));
        assert!(Mask::parse::<v1::Gpu>(&paths(&["*"])).unwrap().wants::<v1::Gpu>("readings"));
    }

    #[test]
    fn an_unknown_path_lists_what_there_is() {
        let error = Mask::parse::<v1::Pool>(&paths(&["name", "sgnals"])).unwrap_err().to_string();
        assert!(error.contains("\"sgnals\"") && error.contains("signals"), "{error}");
        assert!(Mask::parse::<v1::Pool>(&paths(&["name.first"])).is_err());
        assert!(Mask::parse::<v1::Pool>(&paths(&["signals.nothing"])).is_err());
        assert_eq!(Mask::parse::<v1::Pool>(&vec!["name".to_owned(); 65]), Err(Error::TooLong(65)));
    }

    #[test]
    fn a_path_into_a_message_keeps_only_that_part() {
        let mut pool = v1::Pool {
            name: "chat".into(),
            gpus: 4,
            signals: Some(v1::Signals {
                requests_waiting: Some(3.0),
                requests_running: Some(9.0),
                ..Default::default()
            }),
            ..Default::default()
        };
        pool.keep(&Mask::parse::<v1::Pool>(&paths(&["name", "signals.requests_waiting"])).unwrap());
        assert_eq!(pool.name, "chat");
        assert_eq!(pool.gpus, 0);
        assert_eq!(pool.signals, Some(v1::Signals { requests_waiting: Some(3.0), ..Default::default() }));
    }

    #[test]
    fn naming_a_message_whole_and_in_part_selects_it_whole_in_either_order() {
        for order in [["signals", "signals.age_ms"], ["signals.age_ms", "signals"]] {
            let mask = Mask::parse::<v1::Pool>(&paths(&order)).unwrap();
            let position = v1::Pool::FIELDS.iter().position(|field| field.name == "signals").unwrap();
            assert!(mask.has(position) && mask.inside(position).is_none(), "{order:?}");
        }
    }
}

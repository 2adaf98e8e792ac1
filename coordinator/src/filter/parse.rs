//! From text to a filter that is known to fit its message.

use super::{Filter, Literal, Node, Operator, Pattern};
use crate::mask::{self, Field, Type};

/// Longest filter, in bytes: room for about fifty comparisons, little enough to parse for anyone who asks.
const LENGTH_MAX: usize = 4_096;

/// Deepest nesting of parentheses and NOT; bounds the recursion of parsing and evaluating.
const DEPTH_MAX: usize = 16;

/// Most comparisons in one filter; each costs time for every entry of the fleet.
const COMPARISONS_MAX: usize = 64;

/// Why a filter cannot be used, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, column {column}: {problem}")]
pub struct Error {
    /// Counted in characters from 1.
    pub column: usize,
    /// What is wrong there, and what would be right.
    pub problem: String,
    /// Whether it is only that the message has no such field.
    pub unknown_field: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Operator(Operator),
    Dot,
    Open,
    Close,
    End,
}

struct Parser {
    /// Each with the column it begins in.
    tokens: Vec<(usize, Token)>,
    next: usize,
    comparisons: usize,
    fields_used: u64,
    fields: &'static [Field],
}

/// Parses the whole text.
pub(super) fn parse(text: &str, fields: &'static [Field]) -> Result<Filter, Error> {
    if text.len() > LENGTH_MAX {
        return Err(error(1, format!("{} bytes long, at most {LENGTH_MAX} are allowed", text.len())));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, comparisons: 0, fields_used: 0, fields };
    if parser.peek() == &Token::End {
        return Ok(Filter::all());
    }
    let root = parser.any_of(0)?;
    match parser.peek() {
        Token::End => Ok(Filter { root: Some(root), fields: parser.fields_used }),
        Token::Close => Err(error(parser.column(), "a closing parenthesis without an opening one")),
        Token::Word(_) | Token::Quoted(_) | Token::Operator(_) | Token::Dot | Token::Open => {
            Err(error(parser.column(), "expected AND, OR or the end"))
        }
    }
}

fn error(column: usize, problem: impl Into<String>) -> Error {
    Error { column, problem: problem.into(), unknown_field: false }
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].1
    }

    fn column(&self) -> usize {
        self.tokens[self.next].0
    }

    /// The last token is [`Token::End`] and is never passed.
    fn take(&mut self) -> Token {
        let token = self.tokens[self.next].1.clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(text) if text == word);
        if found {
            self.take();
        }
        found
    }

    fn any_of(&mut self, depth: usize) -> Result<Node, Error> {
        let mut parts = vec![self.all_of(depth)?];
        while self.take_word("OR") {
            parts.push(self.all_of(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Or(parts) })
    }

    fn all_of(&mut self, depth: usize) -> Result<Node, Error> {
        let mut parts = vec![self.term(depth)?];
        while self.take_word("AND") {
            parts.push(self.term(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::And(parts) })
    }

    fn term(&mut self, depth: usize) -> Result<Node, Error> {
        if depth >= DEPTH_MAX {
            return Err(error(self.column(), format!("nested deeper than {DEPTH_MAX}")));
        }
        if self.take_word("NOT") {
            return Ok(Node::Not(Box::new(self.term(depth + 1)?)));
        }
        if self.peek() == &Token::Open {
            let opened = self.column();
            self.take();
            let inside = self.any_of(depth + 1)?;
            return if self.take() == Token::Close {
                Ok(inside)
            } else {
                Err(error(opened, "this parenthesis is never closed"))
            };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Node, Error> {
        self.comparisons += 1;
        if self.comparisons > COMPARISONS_MAX {
            return Err(error(self.column(), format!("more than {COMPARISONS_MAX} comparisons")));
        }
        let (path, key, kind) = self.path()?;
        let column = self.column();
        let Token::Operator(operator) = self.take() else {
            return Err(error(column, "expected one of = != < <= > >= : after the field"));
        };
        let column = self.column();
        let literal = match self.take() {
            Token::Word(text) => literal(&text, kind, operator, Quotes::No),
            Token::Quoted(text) => literal(&text, kind, operator, Quotes::Yes),
            Token::Operator(_) | Token::Dot | Token::Open | Token::Close | Token::End => {
                Err("expected a value; text with spaces or signs needs double quotes".to_owned())
            }
        };
        let literal = literal.map_err(|problem| error(column, problem))?;
        Ok(Node::Compare { path, key, operator, literal })
    }

    /// A field, the fields inside it, and the key if it is a map.
    fn path(&mut self) -> Result<(Vec<usize>, Option<String>, Type), Error> {
        let mut fields = self.fields;
        let mut path = Vec::new();
        loop {
            let column = self.column();
            let Token::Word(name) = self.take() else {
                return Err(error(column, format!("expected a field; fields are {}", mask::names(fields))));
            };
            let Some(position) = fields.iter().position(|field| field.name == name) else {
                let problem = format!("unknown field {name:?}; fields are {}", mask::names(fields));
                return Err(Error { column, problem, unknown_field: true });
            };
            path.push(position);
            if path.len() == 1 {
                self.fields_used |= 1 << position;
            }
            let kind = fields[position].kind;
            if self.peek() != &Token::Dot {
                return Ok((path, None, kind));
            }
            self.take();
            match kind {
                Type::Message(inner) => fields = inner,
                Type::Map => return Ok((path, Some(self.key()?), Type::Text)),
                Type::Number | Type::Text | Type::Flag | Type::Choice(_) | Type::Texts | Type::Opaque => {
                    return Err(error(self.column(), format!("{name:?} has no fields inside it")));
                }
            }
        }
    }

    /// The key of a map; without quotes it may contain dots, as label names do.
    fn key(&mut self) -> Result<String, Error> {
        let column = self.column();
        let mut key = match self.take() {
            Token::Quoted(text) => return Ok(text),
            Token::Word(text) => text,
            Token::Operator(_) | Token::Dot | Token::Open | Token::Close | Token::End => {
                return Err(error(column, "expected a key after the dot"));
            }
        };
        while self.peek() == &Token::Dot {
            self.take();
            let column = self.column();
            let Token::Word(part) = self.take() else {
                return Err(error(column, "expected the rest of the key after the dot"));
            };
            key = format!("{key}.{part}");
        }
        Ok(key)
    }
}

/// Whether a value was written in quotes, and so is text and nothing else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Yes,
    No,
}

fn literal(text: &str, kind: Type, operator: Operator, quotes: Quotes) -> Result<Literal, String> {
    if text == "*" && quotes == Quotes::No && operator == Operator::Has {
        return Ok(Literal::Anything);
    }
    let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual | Operator::Has);
    match kind {
        Type::Number => number(text).map(Literal::Number).ok_or_else(|| format!("{text:?} is not a number")),
        Type::Text if ordered => Ok(Literal::Text(Pattern { text: text.to_owned(), open: (false, false) })),
        Type::Text => Ok(Literal::Text(Pattern::new(text))),
        _ if ordered => Err("this field has no order; use =, != or :".to_owned()),
        Type::Texts | Type::Map => Ok(Literal::Text(Pattern::new(text))),
        Type::Flag => match text {
            "true" => Ok(Literal::Flag(true)),
            "false" => Ok(Literal::Flag(false)),
            _ => Err(format!("{text:?} is neither true nor false")),
        },
        Type::Choice(names) => choice(text, &names()),
        Type::Message(inner) => {
            Err(format!("this field is a message; name one of {} inside it", mask::names(inner)))
        }
        Type::Opaque => Err("this field cannot be compared".to_owned()),
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Accepts the name with or without the enumeration's prefix, in any case.
fn choice(text: &str, names: &[&'static str]) -> Result<Literal, String> {
    let upper = text.to_ascii_uppercase();
    let fits = |name: &&&str| upper == **name || upper.ends_with(&format!("_STATE_{name}"));
    let known = names.iter().find(|name| upper == **name).or_else(|| names.iter().find(fits));
    known
        .map(|name| Literal::Choice(name))
        .ok_or_else(|| format!("{text:?} is not one of {}", names.join(", ")))
}

/// Cuts the text into tokens; the last is always [`Token::End`].
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Error> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        let column = at + 1;
        let second = characters.get(at + 1).copied();
        let (token, length) = match (first, second) {
            (c, _) if c.is_whitespace() => {
                at += 1;
                continue;
            }
            ('(', _) => (Token::Open, 1),
            (')', _) => (Token::Close, 1),
            ('.', _) => (Token::Dot, 1),
            (':', _) => (Token::Operator(Operator::Has), 1),
            ('=', _) => (Token::Operator(Operator::Equal), 1),
            ('!', Some('=')) => (Token::Operator(Operator::NotEqual), 2),
            ('<', Some('=')) => (Token::Operator(Operator::LessOrEqual), 2),
            ('>', Some('=')) => (Token::Operator(Operator::GreaterOrEqual), 2),
            ('<', _) => (Token::Operator(Operator::Less), 1),
            ('>', _) => (Token::Operator(Operator::Greater), 1),
            ('"', _) => {
                quoted(&characters[at..]).ok_or_else(|| error(column, "this quote is never closed"))?
            }
            (c, _) if is_word(c) => {
                let after_operator = matches!(tokens.last(), Some((_, Token::Operator(_))));
                word(&characters[at..], after_operator)
            }
            (c, _) => return Err(error(column, format!("unexpected {c:?}"))),
        };
        tokens.push((column, token));
        at += length;
    }
    tokens.push((characters.len() + 1, Token::End));
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '*' | '/' | '+' | '@')
}

/// In a value a dot or colon belongs to the word (`1.5`, `node.example`); in a path it separates.
fn word(characters: &[char], is_value: bool) -> (Token, usize) {
    let belongs = |c: &char| is_word(*c) || (is_value && matches!(*c, '.' | ':'));
    let text: String = characters.iter().take_while(|c| belongs(c)).collect();
    let length = text.chars().count();
    (Token::Word(text), length)
}

/// Text in double quotes, with `\"` and `\\` inside; `None` when it does not end.
fn quoted(characters: &[char]) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut at = 1;
    loop {
        match characters.get(at)? {
            '"' => return Some((Token::Quoted(text), at + 1)),
            '\\' => {
                text.push(*characters.get(at + 1)?);
                at += 2;
            }
            c => {
                text.push(*c);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ostler_proto::v1;

    use super::*;

    fn problem(text: &str) -> String {
        Filter::parse::<v1::Gpu>(text).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_the_column_and_what_would_be_right() {
        let cases = [
            ("zone = eu AND sate = OK", "column 15", "fields are name, node, zone"),
            ("state = BROKEN", "column 9", "OK, DEGRADED, LOST"),
            ("zone", "column 5", "expected one of ="),
            ("zone =", "column 7", "expected a value"),
            ("zone = \"eu", "column 8", "never closed"),
            ("(zone = eu", "column 1", "never closed"),
            ("zone = eu)", "column 10", "without an opening"),
            ("zone = eu zone = b", "column 11", "AND, OR"),
            ("utilization_percent > high", "column 23", "not a number"),
            ("utilization_percent > NaN", "column 23", "not a number"),
            ("state > OK", "column 9", "no order"),
            ("mig_instances = 3", "column 17", "cannot be compared"),
            ("name.first = 3", "column 6", "no fields inside"),
            ("zone ~ 3", "column 6", "unexpected '~'"),
        ];
        for (text, column, words) in cases {
            let problem = problem(text);
            assert!(problem.contains(column) && problem.contains(words), "{text}: {problem}");
        }
    }

    #[test]
    fn length_depth_and_number_of_comparisons_are_bounded() {
        assert!(problem(&"x".repeat(5_000)).contains("at most 4096"));
        assert!(problem(&"(".repeat(1_000)).contains("nested deeper"));
        assert!(problem(&"NOT ".repeat(1_000)).contains("nested deeper"));
        assert!(problem(&vec!["index=1"; 65].join(" OR ")).contains("more than 64"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = Filter::parse::<v1::Node>(&text);
        }

        #[test]
        fn no_likely_text_panics(words in proptest::collection::vec("zone|state|labels|\\.|=|:|!=|<|\\(|\\)|AND|OR|NOT|\"|x|1", 0..30)) {
            let _ = Filter::parse::<v1::Node>(&words.join(" "));
            let _ = Filter::parse::<v1::Node>(&words.concat());
        }
    }
}

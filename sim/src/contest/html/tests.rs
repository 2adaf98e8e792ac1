//! The page is well formed, and shows what it should.

use std::sync::Arc;

use super::*;
use crate::contest::contender::Contender;
use crate::contest::{Arena, Start, Terms};
use crate::profile::Profile;
use crate::setup::Setup;
use crate::time::{SimTime, Span};
use crate::trace::Request;

fn report() -> Report {
    let request = |at_s: u64| Request {
        arrival: SimTime::after(Span::from_seconds(at_s)),
        input_tokens: 1000,
        output_tokens: 50,
        class: 0,
        prefix: None,
    };
    let terms = Terms {
        trace: "</h1><script>alert('x')</script>".to_owned(),
        setup: Setup { replicas_max: 4, ..Setup::new(Profile::llama_8b_h100()) },
        start: Start::Replicas(1),
        goal: 0.999,
    };
    let requests: Arc<[Request]> = (0..300).map(request).collect();
    let traces = vec![requests; 2];
    let arena = Arena::of(terms, traces).expect("it is in order");
    arena.run(&[Contender::StaticPeak, Contender::Weighted], &mut |_| ()).expect("it runs")
}

/// Names of elements that are open where they should not be, in order.
fn unclosed(page: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if tag.ends_with('/') || tag.starts_with('!') || name == "meta" {
            continue;
        }
        if !tag.starts_with('/') {
            open.push(name);
        } else if open.last() == Some(&name) {
            open.pop();
        } else {
            open.push(format!("/{name}"));
        }
    }
    open
}

#[test]
fn the_page_is_whole_and_names_everyone() {
    let report = report();
    let page = page(&report);
    assert_eq!(unclosed(&page), Vec::<String>::new());
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "names cannot bring markup");
    assert!(!page.contains("NaN") && !page.contains("inf"), "every shape has its place");
    for entry in &report.entries {
        assert!(page.matches(&format!(">{}<", entry.policy)).count() >= 5, "{}", entry.policy);
    }
    assert!(!page.contains("http"), "it needs nothing else");
}

#[test]
fn the_objective_is_told_in_full() {
    let mut report = report();
    assert!(
        terms(&report)
            .ends_with("first token within 2 s, 100 ms between tokens on average, for 99.90 % of requests."),
        "{}",
        terms(&report)
    );
    assert!(page(&report).contains("the line is the objective.</p>"));
    report.objective.plus_idle_prompt_time = true;
    assert!(promise(&report.objective).contains("plus the time its prompt takes"));
    let page = page(&report);
    assert!(page.contains("the line is the objective without the time that each request's prompt takes"));
}

#[test]
fn a_logarithmic_scale_keeps_what_is_beyond_it_on_its_ends() {
    let scale = Scale { from: 0.01, to: 100.0 };
    assert_eq!([0.0, 0.01, 1.0, 100.0, 1e9].map(|it| scale.at(it)), [0.0, 0.0, 0.5, 1.0, 1.0]);
}

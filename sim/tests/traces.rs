//! The readers against tiny texts and against the published files.

use std::io::Write;
use std::path::{Path, PathBuf};

use ostler_sim::time::{SimTime, Span};
use ostler_sim::trace::{Error, Options, Request, Source, servegen};
use proptest::prelude::*;

/// A published file; the data lies outside the repository.
fn shared(name: &str) -> PathBuf {
    let folder = match std::env::var_os("OSTLER_SHARED_DATA") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    let file = folder.join("llm_arrivals").join(name);
    assert!(
        file.exists(),
        "{} is not there; OSTLER_SHARED_DATA can name another data folder",
        file.display()
    );
    file
}

/// A file with this text that lives as long as what is returned.
fn text(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it can be written");
    file
}

fn read(source: &Source, options: &Options) -> Result<Vec<Request>, Error> {
    source.requests(options)?.collect()
}

fn read_table(content: &str) -> Result<Vec<Request>, String> {
    let file = text(content);
    let name = file.path().display().to_string();
    read(&Source::Table(file.path().into()), &Options::all(1))
        .map_err(|error| error.to_string().replace(&name, "FILE"))
}

/// Lines of fields that are numbers, nearly numbers, or anything.
fn rows() -> impl Strategy<Value = String> {
    let field = prop_oneof!["[0-9]{1,9}", "[-0-9.eNa:{}\" ]{0,20}", "[GW]", "[ -~]{0,20}"];
    let line = prop::collection::vec(field, 0..9).prop_map(|fields| fields.join(","));
    prop::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_text_makes_a_reader_panic(rows in rows(), kind in 0..4) {
        let headers = [
            "arrival_s,input_tokens,output_tokens\n",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n",
            "",
            "client,window_start_s,rate_rps,cv,dist,p1,p2\n",
        ];
        let file = text(&format!("{}{rows}", headers[kind as usize]));
        let path = file.path().to_path_buf();
        let tokens = shared("servegen_deepseek-r1_tokens.csv.gz");
        let source = match kind {
            0 => Source::Table(path),
            1 => Source::Azure(path),
            2 => Source::Mooncake(path),
            _ => Source::ServeGen { clients: path, tokens },
        };
        if let Ok(requests) = source.requests(&Options::all(1)) {
            let read: Vec<_> = requests.take(1000).collect();
            prop_assert!(read.iter().flatten().is_sorted_by_key(|it| it.arrival));
        }
    }
}

fn seconds(requests: &[Request]) -> Vec<f64> {
    requests.iter().map(|it| it.arrival.as_seconds()).collect()
}

fn deepseek() -> Source {
    Source::ServeGen {
        clients: shared("servegen_deepseek-r1_clients.csv.gz"),
        tokens: shared("servegen_deepseek-r1_tokens.csv.gz"),
    }
}

#[test]
fn a_table_is_read_with_and_without_its_last_columns() {
    let all = read_table("arrival_s,input_tokens,output_tokens,class,prefix\n0.5,10,20,3,17\r\n\n2,1,1,,\n");
    let expected = |arrival, input_tokens, output_tokens, class, prefix| Request {
        arrival: SimTime::after(Span::from_millis(arrival)),
        input_tokens,
        output_tokens,
        class,
        prefix,
    };
    assert_eq!(all.unwrap(), [expected(500, 10, 20, 3, Some(17)), expected(2000, 1, 1, 0, None)]);
    let short = read_table("arrival_s,input_tokens,output_tokens\n0,10,20\n").unwrap();
    assert_eq!(short, [expected(0, 10, 20, 0, None)]);
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_a_remedy() {
    let header = "arrival_s,input_tokens,output_tokens\n";
    let with = |rows: &str| read_table(&format!("{header}{rows}")).unwrap_err();
    for (rows, expected) in [
        ("1,2\n", "FILE:2: column 3 (output_tokens): is missing; give a number or remove the line"),
        (
            "1,x,2\n",
            "FILE:2: column 2 (input_tokens): `x` is not a number of this kind; give a number or remove the line",
        ),
        (
            "NaN,1,2\n",
            "FILE:2: column 1 (arrival_s): NaN is not within 0 to 17280000; correct the value or remove the line",
        ),
        (
            "5,1,2\n4,1,2\n",
            "FILE:3: column 1 (arrival_s): 4 s is before the line above; sort the file by time",
        ),
        (
            "1,0,2\n",
            "FILE:2: column 2 (input_tokens): 0 is not within 1 to 16777215; correct the value or remove the line",
        ),
        ("1,1,2,0,0,9\n", "FILE:2: column 6 (none): there is no such column; remove what is after `prefix`"),
    ] {
        assert_eq!(with(rows), expected);
    }
    let wrong = "FILE:1: column 2 (input_tokens): is named `in`; name the columns as the format has them";
    assert_eq!(read_table("arrival_s,in,out\n").unwrap_err(), wrong);
    assert!(read_table("").unwrap_err().contains("is empty"));
    let absent = Source::Table(PathBuf::from("not/there.csv"));
    let error = read(&absent, &Options::all(1)).unwrap_err().to_string();
    assert_eq!(error, "not/there.csv: cannot be read; check the path and that it is plain text or gzip");
}

#[test]
fn what_precedes_an_error_is_still_read() {
    let file = text("arrival_s,input_tokens,output_tokens\n1,1,1\n2,1,1\nx,1,1\n3,1,1\n");
    let all: Vec<bool> =
        Source::Table(file.path().into()).requests(&Options::all(1)).unwrap().map(|it| it.is_ok()).collect();
    assert_eq!(all, [true, true, false]);
}

#[test]
fn wrong_rows_of_the_published_formats_are_named() {
    let first_error = |source: Source| read(&source, &Options::all(1)).unwrap_err().to_string();
    let file = text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 25:17:03.97,5,5\n");
    assert!(
        first_error(Source::Azure(file.path().into())).contains(":2: column 1 (TIMESTAMP): `2023-11-16 25")
    );
    let file = text("{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 0}\n");
    let error = first_error(Source::Mooncake(file.path().into()));
    assert!(error.contains(":1: column 3 (output_length): 0 is not within 1"), "{error}");
    let file = text("{\"timestamp\": 0, \"input_len\": 1}\n");
    let error = first_error(Source::Mooncake(file.path().into()));
    assert!(error.contains("missing field `input_length`"), "{error}");
    let clients = text("client,window_start_s,rate_rps,cv,dist,p1,p2\n0,600,1,1,Q,1,1\n");
    let tokens = shared("servegen_deepseek-r1_tokens.csv.gz");
    let error = first_error(Source::ServeGen { clients: clients.path().into(), tokens });
    assert!(error.contains(":2: column 5 (dist): `Q` is no law; write G"), "{error}");
}

#[test]
fn the_azure_trace_is_the_published_one() {
    let all = read(&Source::Azure(shared("azure2023_code.csv.gz")), &Options::all(1)).unwrap();
    assert_eq!(all.len(), 8_819);
    assert_eq!((all[0].arrival, all[0].input_tokens, all[0].output_tokens), (SimTime::ZERO, 4808, 10));
    assert_eq!(seconds(&all)[1], 0.052);
    assert!((seconds(&all)[8_818] - 3_435.948_056).abs() < 1e-6, "{}", seconds(&all)[8_818]);
    let mean = all.iter().map(|it| f64::from(it.input_tokens)).sum::<f64>() / 8_819.0;
    assert!((mean - 2048.0).abs() < 1.0, "{mean}");
}

#[test]
fn the_mooncake_trace_is_spread_within_its_ticks() {
    let source = Source::Mooncake(shared("mooncake_conversation.jsonl.gz"));
    let all = read(&source, &Options::all(1)).unwrap();
    assert_eq!(all.len(), 12_031);
    assert!(all.is_sorted_by_key(|it| it.arrival));
    let peak = |width: f64| {
        let mut bins = std::collections::BTreeMap::new();
        seconds(&all).iter().for_each(|at| *bins.entry((at / width) as u64).or_insert(0_u32) += 1);
        f64::from(*bins.values().max().unwrap()) / width
    };
    let mean = 12_031.0 / 3_540.0;
    assert!(peak(60.0) / mean < 1.4, "the trace is flat over minutes: {}", peak(60.0) / mean);
    assert!(peak(1.0) < 18.0, "as recorded, one second holds 28 requests: {}", peak(1.0));
    let mean_input = all.iter().map(|it| f64::from(it.input_tokens)).sum::<f64>() / 12_031.0;
    assert!((mean_input - 12_035.0).abs() < 1.0, "{mean_input}");
    assert_eq!(all, read(&source, &Options::all(1)).unwrap(), "same seed, same requests");
    assert_ne!(all, read(&source, &Options::all(2)).unwrap());
}

#[test]
fn servegen_draws_as_many_requests_as_the_rates_say() {
    let all = read(&deepseek(), &Options::all(1)).unwrap();
    // 24 h at a mean of 16.0 a second; the bursts of clients with a cv up to 20 make the count vary.
    let rate = all.len() as f64 / 86_400.0;
    assert!((rate - 16.01).abs() < 0.5, "{rate}");
    assert!(all.is_sorted_by_key(|it| it.arrival));
    let mean = |tokens: fn(&Request) -> u32| {
        all.iter().map(|it| f64::from(tokens(it))).sum::<f64>() / all.len() as f64
    };
    // The clients' published means, weighted by their rates.
    let (input, output) = (mean(|it| it.input_tokens), mean(|it| it.output_tokens));
    assert!((input / 1268.2 - 1.0).abs() < 0.05, "{input}");
    assert!((output / 1527.4 - 1.0).abs() < 0.05, "{output}");
}

#[test]
fn a_cut_of_drawn_requests_is_that_part_of_the_whole() {
    let (from, until) = (Span::from_seconds(7_000), Span::from_seconds(9_000));
    let whole = read(&deepseek(), &Options::all(9)).unwrap();
    let part = read(&deepseek(), &Options::all(9).cut(from, until).unwrap()).unwrap();
    let expected: Vec<Request> = whole
        .into_iter()
        .filter(|it| it.arrival >= SimTime::after(from) && it.arrival < SimTime::after(until))
        .map(|it| Request { arrival: SimTime::after(it.arrival.since(SimTime::after(from))), ..it })
        .collect();
    assert!(part.len() > 10_000);
    assert_eq!(part, expected);
    let after = Options::all(9).cut(Span::from_seconds(86_400), Span::from_seconds(90_000)).unwrap();
    assert_eq!(read(&deepseek(), &after).unwrap(), [], "nothing comes after the end");
}

#[test]
fn a_hole_in_the_collection_is_told_and_the_window_before_it_holds_on() {
    let clients = text(
        "client,window_start_s,rate_rps,cv,dist,p1,p2\n0,0,2,1,G,1,0.5\n0,600,0,0,G,1,0.5\n0,1200,4,1,W,1,0.25\n",
    );
    let tokens = shared("servegen_deepseek-r1_tokens.csv.gz");
    let plan = servegen::Plan::read(clients.path(), &tokens).unwrap();
    assert_eq!(plan.missing(), [600]);
    assert_eq!((plan.rate(0), plan.rate(600), plan.rate(1200)), (Some(2.0), None, Some(4.0)));
    let mut counts = [0_i32; 3];
    for request in plan.requests(&Options::all(3)) {
        counts[(request.unwrap().arrival.as_seconds() / 600.0) as usize] += 1;
    }
    for (count, expected) in counts.into_iter().zip([1200, 1200, 2400]) {
        assert!((count - expected).abs() < 150, "{counts:?}");
    }
}

#[test]
fn the_rates_scale_and_the_shape_stays() {
    let source = Source::Azure(shared("azure2023_code.csv.gz"));
    for scale in [0.25, 3.5] {
        let all = read(&source, &Options::all(4).scaled(scale).unwrap()).unwrap();
        let ratio = all.len() as f64 / 8_819.0 / scale;
        assert!((ratio - 1.0).abs() < 0.05, "{scale}: {ratio}");
        assert!(all.is_sorted_by_key(|it| it.arrival));
        assert!(all.last().unwrap().arrival.as_seconds() < 3_437.0);
    }
    assert!(Options::all(1).scaled(0.0).is_err() && Options::all(1).scaled(f64::NAN).is_err());
    assert!(Options::all(1).cut(Span::from_seconds(5), Span::from_seconds(5)).is_err());
}

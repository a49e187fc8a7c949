//! Every target on its corpus, then for some seconds on mutations of it. `FUZZ_SECONDS` makes it longer, `FUZZ_SEED`
//! repeats a run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use retailcast_fuzz::{Mutator, TARGETS};

#[test]
fn component() {
    smoke("component");
}

#[test]
fn model_config() {
    smoke("model_config");
}

#[test]
fn model_file() {
    smoke("model_file");
}

fn smoke(name: &str) {
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let corpus = corpus(name);
    for input in &corpus {
        target(input);
    }
    let seed = number("FUZZ_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let end = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(10));
    let (mut mutator, mut runs) = (Mutator::new(corpus, seed), 0);
    while Instant::now() < end {
        let input = mutator.next_input();
        if let Err(panic) = std::panic::catch_unwind(|| target(&input)) {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
            std::fs::write(&file, input).unwrap();
            eprintln!("FUZZ_SEED={seed}, input {runs}: put {} into corpus/{name}", file.display());
            std::panic::resume_unwind(panic);
        }
        runs += 1;
    }
    println!("{name}: {runs} inputs, FUZZ_SEED={seed}");
    assert!(runs > 0);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// The files, sorted; a component is too large to be kept twice.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut corpus: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    if name == "component" {
        corpus.push(retailcast_bundled::find("naive").unwrap().component.to_vec());
    }
    corpus
}

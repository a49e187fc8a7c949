//! `retailcast seed`.

use super::program::Home;

#[test]
fn from_nothing_to_nothing() {
    let home = Home::new("seed");
    // Refused before a database is started.
    assert!(home.refuse(&["seed", "delete"]).contains("--confirm"));
    assert!(home.refuse(&["seed", "generate", "--scenario", "nothing"]).contains("demo_minimal"));
    assert!(home.refuse(&["seed", "generate", "--stores", "101"]).contains("100"));
    let inverted = ["seed", "generate", "--start-date", "2026-01-02", "--end-date", "2026-01-01"];
    assert!(home.refuse(&inverted).contains("2026-01-01"));
    std::fs::write(home.folder.join("p.toml"), "[retail]\nstockout_probability = 2").unwrap();
    let file = home.refuse(&["seed", "generate", "--parameters", "p.toml"]);
    assert!(file.contains("retail.stockout_probability") && file.contains("0 to 1"), "{file}");
    let production = home.command(&["seed", "generate"]).env("APP_ENV", "production").output().unwrap();
    assert_eq!(production.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&production.stderr).contains("seeder.allow_production"));

    assert!(
        home.refuse(&["seed", "append", "--start-date", "2026-01-01", "--end-date", "2026-01-02"])
            .contains("generate")
    );
    assert!(
        home.succeed(&["seed", "generate", "--scenario", "demo_minimal", "--dry-run"]).contains("Dry run")
    );
    std::fs::write(
        home.folder.join("p.toml"),
        "stores = 2\nproducts = 4\n[retail]\nstockout_probability = 0",
    )
    .unwrap();
    let window = ["--start-date", "2026-01-01", "--end-date", "2026-01-10"];
    let made =
        home.succeed(&[&["seed", "generate", "--parameters", "p.toml", "--seed", "5"][..], &window].concat());
    assert_eq!(number(&made, "sales"), 80, "{made}");
    assert_eq!(number(&made, "seed"), 5);
    let more = home.succeed(&[
        "seed",
        "append",
        "--start-date",
        "2026-01-11",
        "--end-date",
        "2026-01-12",
        "--batch-size",
        "3",
    ]);
    assert_eq!((number(&more, "inventory"), number(&more, "stores")), (16, 0));
    let status = home.succeed(&["seed", "status"]);
    assert_eq!(number(&status, "inventory"), 96);
    assert!(status.contains("2026-01-01 to 2026-01-12"), "{status}");
    assert!(home.succeed(&["seed", "verify"]).contains("Foreign Key Integrity"));
    let facts = home.succeed(&["seed", "delete", "--scope", "facts", "--dry-run"]);
    assert_eq!(number(&facts, "inventory_snapshot_daily"), 96);
    let all = home.succeed(&["seed", "delete", "--confirm"]);
    assert_eq!((number(&all, "inventory_snapshot_daily"), number(&all, "store")), (96, 2));
    assert_eq!(number(&home.succeed(&["seed", "status"]), "stores"), 0);
    assert!(home.postgres().is_none(), "the last command stops the embedded server");
}

/// The number behind a name at the beginning of a line.
#[track_caller]
fn number(text: &str, name: &str) -> i64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {name} in: {text}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

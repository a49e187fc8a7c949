//! `docs/plugins/conformance.md`: one section per check, written from the checks themselves.

use crate::About;

/// The page, from the root of the sources.
pub const PAGE: &str = "docs/plugins/conformance.md";

/// The anchor of a check's section, as GitHub and others make it of a heading.
pub fn anchor(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

const INTRODUCTION: &str = "\
# Conformance

What a plugin must keep, as checks that `retailcast plugin check FILE` carries out on the component, inside the same
sandbox and limits as in the server:

    retailcast plugin check target/wasm32-wasip2/guest/drift.wasm
    retailcast plugin check drift.wasm --level smoke
    retailcast plugin check drift.wasm --junit > conformance.xml

The exit code is 0 when the plugin conforms and 2 when it does not. Every check of the level is listed:

| Result | Meaning |
|---|---|
| `PASS` | the rule is kept |
| `FAIL` | it is broken; `expected`, `found`, and the smallest `case` of those tried say how |
| `SKIP` | the rule is not for this plugin, by what the plugin itself declares; there is no other way to skip a check |
| `ERROR` | it could not be found out, mostly because a check that it builds on fails |

A plugin conforms when nothing is `FAIL` or `ERROR` and something is `PASS`. **Smoke** is what the server runs before a
file of the plugin folder serves ([RC-P018](../errors/RC-P018.md)); **full** is everything, and the default of the
command.

Checks called `static` are for every plugin, those called `explainer`, `scenario` and `embedder` for the kinds `explainer`,
`scenario-adjuster` and `embedding-provider`, and all others for forecast models.

Forecast models are checked with the configuration of all defaults; at level full also with every other value of its enumerations and
flags, one at a time. A configuration with required fields without a default needs an entry in the `examples` of its
JSON Schema. An explainer is asked about the models that it names, with the built-in models beside it; an embedding
provider gets the configuration that the server writes, and no service to ask. \"Ordinary data\" are daily series with a week, a trend and promotions; a check that fails on data of
another kind names them.

This page is written from the checks: `RETAILCAST_WRITE_DOCS=1 cargo test -p retailcast-conformance pages`.
";

/// The whole page.
pub fn page(checks: &[About]) -> String {
    let mut page = INTRODUCTION.to_owned();
    page += "\n| Check | What | Level |\n|---|---|---|\n";
    for check in checks {
        page += &format!(
            "| [`{}`](#{}) | {} | {} |\n",
            check.id,
            anchor(check.id),
            check.title,
            check.level.name()
        );
    }
    for check in checks {
        page += &format!(
            "\n## {}\n\n**{}.** {}\n\nLevel {}; applies {}.\n\n{}\n",
            check.id,
            check.title,
            check.rule,
            check.level.name(),
            check.applies,
            check.mend
        );
    }
    page
}

//! The suite itself: all first-party plugins pass, every mutant is caught by the check that names it, the page is
//! current.

mod contract;
mod first_party;
mod fossils;
mod mutants;
mod pages;

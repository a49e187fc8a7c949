//! Small random changes of known inputs.

use fastrand::Rng;

/// Makes new inputs of a corpus.
#[derive(Debug)]
pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    rng: Rng,
}

/// Numbers at the edges of their types.
const EDGES: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

impl Mutator {
    /// Of these inputs, of which there is at least one.
    pub fn new(corpus: Vec<Vec<u8>>, seed: u64) -> Self {
        assert!(!corpus.is_empty(), "there is nothing to mutate");
        Self { corpus, rng: Rng::with_seed(seed) }
    }

    /// One input, changed in one to eight places.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.pick().to_vec();
        for _ in 0..self.rng.usize(1..=8) {
            self.change(&mut input);
        }
        input
    }

    fn pick(&mut self) -> &[u8] {
        &self.corpus[self.rng.usize(..self.corpus.len())]
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.rng.usize(..=input.len());
        match self.rng.u8(..6) {
            _ if at == input.len() => input.push(self.rng.u8(..)),
            0 => input[at] ^= 1 << self.rng.u8(..8),
            1 => input[at] = EDGES[self.rng.usize(..EDGES.len())],
            2 => input[at] = self.rng.u8(..),
            3 => {
                let to = (at + self.rng.usize(1..64)).min(input.len());
                input.drain(at..to);
            }
            4 => {
                let to = (at + self.rng.usize(1..64)).min(input.len());
                let copy = input[at..to].to_vec();
                input.splice(at..at, copy);
            }
            _ => {
                let other = self.pick().to_vec();
                let from = self.rng.usize(..=other.len());
                let to = (from + self.rng.usize(1..256)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
}

struct Oracle;

retailcast_sdk::export!(Oracle as Prophet);

fn main() {}

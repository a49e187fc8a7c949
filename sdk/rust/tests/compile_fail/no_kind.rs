struct Oracle;

retailcast_sdk::export!(Oracle);

fn main() {}

#!/usr/bin/env bash
# Compares RetailCast's models with statsforecast and mlforecast on real data and writes docs/accuracy.md.
#
#   tests/peers/accuracy.sh [FOLDER[=LAST DAY]...]
#
# The bakery always; further folders in the same format, with the last day that they cover if it has no sale. Needs the release program and tests/peers/setup.sh. Results are
# kept in target/accuracy: what is there already is not computed again.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=$PWD/${CARGO_TARGET_DIR:-target}/release/retailcast
python=$PWD/.retailcast/peers/bin/python
out=$PWD/${CARGO_TARGET_DIR:-target}/accuracy
mkdir -p "$out"

# One home per data set, so that selections are whole databases.
ours() {
    local data=$1 name=$2 end=$3 home
    [ -e "$out/$name.ours.json" ] && return
    home=$(mktemp -d)
    chmod 755 "$home"
    (
        cd "$home"
        "$program" import stores "$data/stores.csv"
        "$program" import products "$data/products.csv"
        [ -e "$data/calendar.csv.gz" ] && "$program" import calendar "$data/calendar.csv.gz"
        "$program" import sales "$data/sales_daily.csv.gz"
        "$program" backtest --windows 4 --horizon 14 ${end:+--end "$end"} --report "$out/$name.ours.json" \
            --model naive --model seasonal_naive --model moving_average --model croston,variant=classic --model croston \
            --model croston,variant=tsb --model theta --model ets --model elastic_net --model regression \
            --model lightgbm --model lightgbm,scope=global,max_depth=20
    )
    rm -rf "$home"
}

peers() {
    local data=$1 name=$2 end=$3
    [ -e "$out/$name.local.peer.json" ] ||
        "$python" tests/peers/local_models.py "$data" ${end:+--end "$end"} --windows 4 --horizon 14 \
            --n-jobs 2 --out "$out/$name.local.peer.json"
    [ -e "$out/$name.global.peer.json" ] ||
        "$python" tests/peers/global_lightgbm.py "$data" ${end:+--end "$end"} --windows 4 --horizon 14 \
            --out "$out/$name.global.peer.json"
}

for argument in tests/data/bakery "$@"; do
    data=$(realpath "${argument%%=*}")
    end=
    [[ $argument = *=* ]] && end=${argument#*=}
    ours "$data" "$(basename "$data")" "$end"
    peers "$data" "$(basename "$data")" "$end"
done
"$python" tests/peers/accuracy.py "$out"

#!/usr/bin/env bash
# The README is true: every line of each block that follows a `from: make run` mark is a line that
# the command prints today. That the comparison can fail is shown with one line altered.
set -euo pipefail
cd "$(dirname "$0")/.."

output=target/readme-run.txt
mkdir -p target
make --no-print-directory run >"$output"

# Prints the lines of the marked blocks of the file $1.
quoted() {
    awk '/^<!-- from: make run -->$/ { marked = 1; next }
         marked && /^```text$/      { inside = 1; next }
         inside && /^```$/          { inside = 0; marked = 0; next }
         inside                     { print }' "$1"
}

# Prints the lines of the marked blocks of the file $1 that the command did not print.
stale() {
    quoted "$1" | grep -vFx -f "$output" || true
}

[ "$(quoted README.md | wc -l)" -gt 10 ] || { echo "readme: the marked blocks are gone"; exit 1; }

altered=target/readme-altered.md
awk '/^<!-- from: make run -->$/ { marked = 1 }
     marked && inside && !done   { print $0 "."; done = 1; next }
     marked && /^```text$/       { inside = 1 }
                                 { print }' README.md >"$altered"
[ -n "$(stale "$altered")" ] || { echo "readme: an altered line goes unnoticed"; exit 1; }

if [ -n "$(stale README.md)" ]; then
    echo "readme: these lines are no longer printed by make run:"
    stale README.md
    exit 1
fi
echo "readme: $(quoted README.md | wc -l) quoted lines are what make run prints"

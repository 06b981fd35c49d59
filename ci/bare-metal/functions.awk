# Prints each public function of an expanded crate as `TYPE NAME HOW`: a free one has `-` for its type, and
# how it reaches an object is `code`, or `inlined` where it is constant or always inlined and so need not be
# a symbol.

# Returns s without the angle brackets that it begins with.
function behind_brackets(s,   i, depth, char) {
    for (i = 1; i <= length(s); i++) {
        char = substr(s, i, 1)
        if (char == "<") depth++
        if (char == ">" && substr(s, i - 1, 1) != "-" && --depth == 0) return substr(s, i + 1)
    }
    return ""
}

function type_of(header) {
    sub(/^ *(unsafe )?impl */, "", header)
    if (header ~ /^</) header = behind_brackets(header)
    if (header ~ / for /) return "" # a trait's functions are the trait's
    sub(/^ */, "", header)
    sub(/[< {].*/, "", header)
    sub(/.*::/, "", header)
    return header
}

/^ *(unsafe )?impl[ <]/ { header = ""; reading = 1; match($0, /^ */); indent = RLENGTH }
reading {
    header = header " " $0
    if (/{/) { reading = 0; type = type_of(header); inside = 1 }
}
/^ *}$/ { match($0, /^ */); if (inside && RLENGTH == indent) { inside = 0; type = "" } }
/#\[inline\(always\)\]/ { always = 1 }
/^ *pub (const |unsafe )*fn / && (!inside || type != "") {
    name = $0
    sub(/.* fn /, "", name)
    sub(/[^a-z0-9_].*/, "", name)
    print inside ? type : "-", name, ($0 ~ /const fn/ || always) ? "inlined" : "code"
}
/ fn / { always = 0 }

# Searches of an image for what does not belong there; each prints what it finds. Sourced.
# shellcheck shell=bash

searches=(undefined dynamic std alloc allocator unwinding)

# search NAME FILE
search() {
    case $1 in
        undefined) nm --undefined-only "$2" ;;
        dynamic) readelf -lW "$2" | sed -nE '/^ +(INTERP|DYNAMIC) /p' ;;
        std) symbols "$2" '(^|[^[:alnum:]_:])std::' ;;
        alloc) symbols "$2" '(^|[^[:alnum:]_:])alloc::' ;;
        allocator) symbols "$2" '__(rust|rg|rdl)_(de|re)?alloc' ;;
        unwinding) symbols "$2" 'rust_eh_personality|_Unwind_' ;;
        *) fail "no such search: $1" ;;
    esac
}

# symbols FILE REGEX: the demangled symbols that match, addresses cut off.
symbols() {
    nm -C "$1" | sed -E 's/^[0-9a-f ]+ [A-Za-z] //' | sed -nE "\\@$2@p"
}

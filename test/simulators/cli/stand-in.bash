# Sourced by every stand-in executable, which sets tool, port and token: hands its words, environment and folder to the home, and does what the home says.
# In bash, since Node takes ten times as long to start, and a day has two hundred of these. What it knows of a tool is its name.
unset NODE_OPTIONS

lost() {
  printf 'stand-in %s: the simulated home at port %s does not answer: %s\n' "$tool" "$port" "$1" >&2
  exit 71
}

# One line: what was read in base64, or why it could not be opened.
send() {
  if [ "$1" = path ] && ! { exec 0</dev/stdin; } 2>/dev/null; then
    echo ENXIO >&3 # a path that leads to a socket does not open
  else
    printf '=%s\n' "$(base64 | tr -d '\n')" >&3
  fi
}

# The environment that this process was started with. On Linux it needs no other process, which saves a tenth of the time of a call.
environment() {
  local pairs pair
  if mapfile -d '' -t pairs 2>/dev/null <"/proc/$$/environ"; then
    for pair in "${pairs[@]}"; do [[ $pair == NODE_OPTIONS=* ]] || printf '%s\0' "$pair"; done
  else
    env -0
  fi
}

{ exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || lost "connection refused"
# NUL ends each word; an empty one ends the environment
trap '' PIPE # a home that hangs up would end bash before it can say so
{ printf '%s\0' "$token" "$tool" "$PWD" "$#" "$@"; environment; printf '\0'; } 2>/dev/null >&3 || lost "it hung up"
trap - PIPE

while read -r -u 3 what amount 2>/dev/null; do
  case $what in
  out) head -c "$amount" <&3 || exit 141 ;; # nobody reads our output any more
  err) head -c "$amount" <&3 >&2 ;;
  stdin) send "$amount" ;;
  exit) exit "$amount" ;;
  esac
done
lost "it hung up"

#!/bin/sh
# Asks dds-backup-trigger for a backup and waits until it is COMPLETED. Needs a POSIX shell and curl.
set -eu
export LC_ALL=C # bytes, whatever the caller's language is

MAX_PAUSE_SECONDS=300      # the longest Retry-After that is honoured
MAX_BACKOFF_SECONDS=60     # the longest pause where there is no Retry-After
MAX_ANSWER_SECONDS=60      # the longest wait for one answer
MAX_NOT_LISTED_SECONDS=120 # how long DDS's list may lag behind
LAST_SECONDS=5             # kept for one last question before the time-out
newline='
'

help() {
  cat <<'END'
Usage: backup-and-wait.sh --url https://HOST/backups --instance-id ID --name-prefix P [OPTION VALUE]...

Asks for a backup of a DDS instance and waits until it is COMPLETED.

  --url URL              where to ask; ends in /backups
  --instance-id ID       the DDS instance
  --name-prefix P        what the name of the backup begins with
  --description D        description of the backup
  --idempotency-key K    asking again with the same key gets the same backup (default: a new key)
  --timeout SECONDS      how long to wait in all (default: 3600)
  --aws-region REGION    sign with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if set,
                         AWS_SESSION_TOKEN (needs curl 7.86 or newer)
  --help                 show this text

Standard output is the backup_id once the backup is COMPLETED, else empty. Progress goes to standard
error, and so does the backup_id of a backup that failed or takes too long.

Exit status: 0 COMPLETED. 1 FAILED or refused. 2 time-out: the backup may still go on in DDS.
64 nothing was asked: options or environment are wrong. 129, 130, 143 ended by a signal.
END
}

# --- How it ends ---

last_line='' asked='' id='' problem='' tmp='' child_runs=''

say() { # MESSAGE: one line per change
  [ "$1" != "$last_line" ] || return 0
  last_line=$1
  printf 'backup-and-wait: %s\n' "$1" >&2
}

end() { # EXIT-STATUS MESSAGE
  say "$2"
  exit "$1"
}

usage() { # MESSAGE
  end 64 "$1 See --help."
}

how_to_continue() {
  [ -n "$asked" ] || return 0
  if [ -n "$id" ]; then printf ' Backup %s goes on in DDS.' "$id"; else printf ' The backup may go on in DDS.'; fi
  printf ' To ask for the same backup again: --idempotency-key %s' "$key"
}

interrupted() { # EXIT-STATUS
  trap '' HUP INT TERM
  end "$1" "Interrupted.$(how_to_continue)"
}

clean_up() {
  if [ -n "$child_runs" ] && kill "${!-}" 2>/dev/null; then wait $! || :; fi
  [ -z "$tmp" ] || rm -rf "$tmp"
}

trap clean_up EXIT
trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# A shell handles a signal at once only while it waits for a child in the background.
wait_for_child() { # sets $code, its exit status
  code=0
  wait $! || code=$?
  child_runs=''
}

# --- Options ---

# A number without leading zeros, which a shell would read as octal. Prints nothing for other text.
number() { # TEXT
  case $1 in '' | *[!0-9]*) return 0 ;; esac
  printf '%s\n' "$1" | sed -n 's/^0*\([0-9]\{1,7\}\)$/\1/p'
}

url='' instance_id='' name_prefix='' description='' key='' timeout=3600 region='' given=''
while [ $# -gt 0 ]; do
  value=${2-}
  case $1 in
    --help) help && exit 0 ;;
    --url) url=$value ;;
    --instance-id) instance_id=$value ;;
    --name-prefix) name_prefix=$value ;;
    --description) description=$value ;;
    --idempotency-key) key=$value ;;
    --timeout) timeout=$value ;;
    --aws-region) region=$value ;;
    *) usage "Unknown option: $1." ;;
  esac
  [ $# -ge 2 ] || usage "Option $1 has no value."
  case $given in *" $1 "*) usage "Option $1 is given twice." ;; esac
  [ -n "$value" ] || [ "$1" = --description ] || usage "The value of $1 is empty."
  case $value in *"$newline"*) usage "The value of $1 has a line break. Give one line." ;; esac
  given="$given $1 "
  shift 2
done

for option in --url --instance-id --name-prefix; do
  case $given in *" $option "*) ;; *) usage "Missing option: $option." ;; esac
done
while [ "$url" != "${url%/}" ]; do url=${url%/}; done
case $url in
  *[!!-~]* | *[?#@\\]*) usage "Invalid --url: $url. Give it without spaces, user, query and fragment." ;;
  http://?*/backups | https://?*/backups) ;;
  *) usage "Invalid --url: $url. Give an http or https URL that ends in /backups." ;;
esac
seconds=$(number "$timeout")
[ "${seconds:-0}" -gt 0 ] || usage "Invalid --timeout: $timeout. Give a number of seconds."
timeout=$seconds
case $key in *[!!-~]*) usage "Invalid --idempotency-key: $key. Give ASCII characters without spaces." ;; esac
[ "${#key}" -le 256 ] || usage "Invalid --idempotency-key: it is longer than 256 characters."
[ -n "$key" ] || key="backup-and-wait-$(date -u +%Y%m%dT%H%M%SZ)-$$-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')"
command -v curl >/dev/null || usage "curl is missing. Install curl, or add its directory to PATH."

# --- Signing ---

check_credential() { # NAME VALUE
  [ -n "$2" ] || usage "$1 is not set. --aws-region needs it."
  case $2 in *[!!-~]* | *[\"\\]*) usage "$1 has a character that no AWS key has. Check it for spaces and line breaks." ;; esac
}

check_signing() {
  case $region in *[!a-z0-9-]*) usage "Invalid --aws-region: $region. Give a region such as eu-central-1." ;; esac
  check_credential AWS_ACCESS_KEY_ID "${AWS_ACCESS_KEY_ID-}"
  check_credential AWS_SECRET_ACCESS_KEY "${AWS_SECRET_ACCESS_KEY-}"
  [ -z "${AWS_SESSION_TOKEN-}" ] || check_credential AWS_SESSION_TOKEN "$AWS_SESSION_TOKEN"
  version=$(curl --version | sed -n '1s/^curl \([0-9]*\.[0-9]*\).*/\1/p')
  case $version in
    '' | [0-6].* | 7.? | 7.[0-7]? | 7.8[0-5]) usage "curl $version is too old to sign. Install curl 7.86 or newer." ;;
  esac
}

# Read by curl from its standard input: arguments can be seen in the list of processes.
credentials() {
  [ -n "$region" ] || return 0
  printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
  [ -z "${AWS_SESSION_TOKEN-}" ] || printf 'header = "X-Amz-Security-Token: %s"\n' "$AWS_SESSION_TOKEN"
}

[ -z "$region" ] || check_signing
case ${url#*://} in *.lambda-url.*) service=lambda ;; *) service=execute-api ;; esac

# --- One request, and the pause after it ---

json() { # TEXT: the text as a JSON string
  printf '%s\n' "$1" | awk '
    BEGIN {
      for (i = 1; i < 32; i++) escaped[sprintf("%c", i)] = sprintf("\\u%04x", i)
      escaped["\""] = "\\\""
      escaped["\\"] = "\\\\"
    }
    { for (i = 1; i <= length($0); i++) { c = substr($0, i, 1); s = s (c in escaped ? escaped[c] : c) } }
    END { printf "\"%s\"", s }'
}

limit_to_time_left() { # SECONDS: sets $seconds, or ends if there is no time left
  left=$((deadline - $(date +%s)))
  [ "$left" -gt 0 ] || end 2 "Time-out after $timeout seconds.${problem:+ Last: $problem.}$(how_to_continue)"
  seconds=$1
  [ "$seconds" -le "$left" ] || seconds=$left
}

ask() { # METHOD URL: sets $code, curl's exit status, and $status, the answer's
  limit_to_time_left "$MAX_ANSWER_SECONDS"
  : >"$tmp/headers"
  : >"$tmp/body"
  method=$1
  set -- -q --config - --silent --show-error --globoff --proto '=https,http' --connect-timeout 10 \
    --max-time "$seconds" --dump-header "$tmp/headers" --output "$tmp/body" --write-out '%{http_code}' --url "$2"
  [ "$method" = GET ] || set -- "$@" --data-binary "@$tmp/request" \
    --header 'content-type: application/json' --header "idempotency-key: $key"
  [ -z "$region" ] || set -- "$@" --aws-sigv4 "aws:amz:$region:$service"
  asked=yes child_runs=yes
  credentials | curl "$@" >"$tmp/status" 2>"$tmp/error" &
  wait_for_child
  status=$(cat "$tmp/status")
}

header() { # NAME, in capitals: its value, in capitals
  tr -d '\r' <"$tmp/headers" | tr '[:lower:]' '[:upper:]' | sed -n "s/^$1: *\(.*[^ ]\) *$/\1/p" | tail -n 1
}

field() { # NAME: the value of a string in the body
  tr -d '\000-\037\177' <"$tmp/body" | sed -n -E "s/.*\"$1\" *: *\"(([^\"\\\\]|\\\\.)*)\".*/\1/p" | cut -c 1-500
}

# Waits as Retry-After says, else with backoff.
pause() {
  seconds=$(number "$(header RETRY-AFTER)")
  if [ -z "$seconds" ]; then
    seconds=$backoff
    backoff=$((backoff * 2))
    [ "$backoff" -le "$MAX_BACKOFF_SECONDS" ] || backoff=$MAX_BACKOFF_SECONDS
  fi
  [ "$seconds" -ge 1 ] || seconds=1
  [ "$seconds" -le "$MAX_PAUSE_SECONDS" ] || seconds=$MAX_PAUSE_SECONDS
  limit_to_time_left "$seconds"
  [ "$seconds" -lt "$left" ] || [ "$left" -le "$LAST_SECONDS" ] || seconds=$((left - LAST_SECONDS))
  child_runs=yes
  sleep "$seconds" &
  wait_for_child
  waited=$((waited + seconds))
}

# --- What an answer means ---

accepted_id() {
  [ "$code" -eq 0 ] || return 1
  case $status in 2??) ;; *) return 1 ;; esac
  tr -d '\r\n\t' <"$tmp/body" | sed -n 's/^ *{.*"backup_id" *: *"\([A-Za-z0-9_-]\{1,64\}\)".*} *$/\1/p' | grep .
}

gateway_hint() {
  if [ -n "$region" ]; then
    printf 'The gateway refuses it: check the AWS credentials, --aws-region, the clock and the right to call this API'
  else
    printf 'The gateway wants a signed request: give --aws-region and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  fi
}

# Says in $problem what is wrong. Fails if asking again does not help.
may_ask_again() {
  if [ "$code" -ne 0 ]; then
    problem="no answer, $(head -n 1 "$tmp/error")"
    # Not these: protocol, option or URL that curl cannot use, certificate that is not trusted.
    case $code in 1 | 2 | 3 | 4 | 48 | 60 | 77) return 1 ;; *) return 0 ;; esac
  fi
  reason=$(field reason) text=$(field error_msg)
  problem="HTTP $status${reason:+ $reason}${text:+: ${text%.}}"
  case $reason in
    InstanceBusy | Throttled | *Unavailable | Upstream* | OutcomeUnknown | CredentialsRefused) return 0 ;;
    InvalidRequest | Unauthorized | InstanceNotFound | Backup* | DeadlinePassed | DdsRejected | ConfigurationError) return 1 ;;
  esac
  case $status in
    2??) problem="HTTP $status, but the answer cannot be read" ;;
    408 | 425 | 429 | 5??) ;;
    401 | 403) problem="$problem. $(gateway_hint)" && return 1 ;;
    *) problem="$problem. Check --url" && return 1 ;;
  esac
}

# --- Ask, then wait ---

tmp=$(mktemp -d)
deadline=$(($(date +%s) + timeout)) backoff=2 waited=0
{
  printf '{"backup":{"instance_id":%s,"name_prefix":%s' "$(json "$instance_id")" "$(json "$name_prefix")"
  [ -z "$description" ] || printf ',"description":%s' "$(json "$description")"
  printf '}}'
} >"$tmp/request"

say "Asks for a backup of $instance_id with the idempotency key $key."
until ask POST "$url" && id=$(accepted_id); do
  may_ask_again || end 1 "Refused: $problem."
  say "Waits and asks again: $problem."
  pause
done
say "Backup $id is accepted."

backoff=2 problem='' listed=$waited
while :; do
  ask GET "$url/$id"
  state=$(header BACKUP-STATUS)
  if [ "$code" -eq 0 ] && [ "$status" = 200 ] && [ -n "$state" ]; then
    problem="the backup is $state" listed=$waited
    case $state in
      COMPLETED) break ;;
      FAILED | DISABLED) end 1 "Backup $id is $state. See DDS for the reason." ;;
    esac
    say "Backup $id is $state."
  elif [ "$code" -eq 0 ] && [ "$status" = 404 ]; then
    problem="the backup is not listed"
    [ $((waited - listed)) -lt "$MAX_NOT_LISTED_SECONDS" ] ||
      end 1 "Backup $id is not listed after $MAX_NOT_LISTED_SECONDS seconds. Look for it in DDS."
    say "Backup $id is not listed yet."
  else
    may_ask_again || end 1 "Cannot see backup $id: $problem.$(how_to_continue)"
    say "Waits and asks again: $problem."
  fi
  pause
done
say "Backup $id is COMPLETED."
printf '%s\n' "$id"

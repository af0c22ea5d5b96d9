#!/usr/bin/env bash
# An MLflow server for a team, as docs/team.md has it. Each step is a command:
#
#     scripts/team_server.sh database        the PostgreSQL role and its two databases (once, as root or postgres)
#     scripts/team_server.sh serve           the server, until it is stopped
#     scripts/team_server.sh user NAME       a person who may log in, or a new password: asked for, or TEAM_PASSWORD
#     scripts/team_server.sh check           whether the server answers, and to nobody without a password
#
# Settings are variables, or lines NAME=VALUE in $TEAM_HOME/settings:
#
#     TEAM_HOME            /srv/mlflow        settings, secrets and artifacts
#     TEAM_DATABASE        postgresql+psycopg://mlflow@/mlflow?host=/var/run/postgresql
#     TEAM_AUTH_DATABASE   the same server's database mlflow_auth: names and passwords (hashed)
#     TEAM_ARTIFACTS       $TEAM_HOME/artifacts, or s3://bucket/path
#     TEAM_LISTEN          127.0.0.1          with a proxy that speaks TLS before it
#     TEAM_PORT            5000
#     TEAM_HOSTS           names under which it is called, parted by commas: mlflow.example.org
#     TEAM_WORKERS         2
#     TEAM_PYTHON          the python that mlflow, Flask-WTF and psycopg are installed for: pip install '.[team]'
set -euo pipefail

TEAM_HOME="${TEAM_HOME:-/srv/mlflow}"
if [ -f "$TEAM_HOME/settings" ]; then
	# what is set already wins over the file
	while IFS='=' read -r name value; do
		case "$name" in TEAM_*) [ -n "${!name:-}" ] || export "$name=$value" ;; esac
	done <"$TEAM_HOME/settings"
fi
TEAM_DATABASE="${TEAM_DATABASE:-postgresql+psycopg://mlflow@/mlflow?host=/var/run/postgresql}"
TEAM_AUTH_DATABASE="${TEAM_AUTH_DATABASE:-postgresql+psycopg://mlflow@/mlflow_auth?host=/var/run/postgresql}"
TEAM_ARTIFACTS="${TEAM_ARTIFACTS:-$TEAM_HOME/artifacts}"
TEAM_LISTEN="${TEAM_LISTEN:-127.0.0.1}"
TEAM_PORT="${TEAM_PORT:-5000}"
TEAM_HOSTS="${TEAM_HOSTS:-}"
TEAM_WORKERS="${TEAM_WORKERS:-2}"
TEAM_PYTHON="${TEAM_PYTHON:-python3}"
ADMIN=admin
URL="http://$TEAM_LISTEN:$TEAM_PORT"

fail() {
	echo "team_server: $*" >&2
	exit 1
}

# A file that only this account reads, with a secret that is made once.
secret() {
	local file="$TEAM_HOME/secrets/$1"
	mkdir -p "$TEAM_HOME/secrets" && chmod 700 "$TEAM_HOME/secrets"
	[ -s "$file" ] || (umask 077 && "$TEAM_PYTHON" -c 'import secrets; print(secrets.token_urlsafe(32))' >"$file")
	cat "$file"
}

# psql as the account that owns the cluster; root hands over to it.
as_postgres() {
	if [ "$(id -u)" = 0 ] && [ -z "${PGHOST:-}" ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

database() {
	command -v psql >/dev/null || fail "PostgreSQL is not installed: apt-get install postgresql"
	as_postgres psql -qtA -d postgres -c 'select 1' >/dev/null || fail "PostgreSQL does not run: systemctl start postgresql"
	if [ "$(as_postgres psql -qtA -d postgres -c "select count(*) from pg_roles where rolname = 'mlflow'")" = 0 ]; then
		as_postgres createuser mlflow
	fi
	for name in mlflow mlflow_auth; do
		if [ "$(as_postgres psql -qtA -d postgres -c "select count(*) from pg_database where datname = '$name'")" = 0 ]; then
			as_postgres createdb --owner=mlflow --encoding=UTF8 --template=template0 "$name"
		fi
	done
	echo "role mlflow, databases mlflow and mlflow_auth"
}

serve() {
	"$TEAM_PYTHON" -c 'import mlflow, flask_wtf' 2>/dev/null ||
		fail "$TEAM_PYTHON has no mlflow with auth: pip install -c constraints.txt '.[team]', or name one by TEAM_PYTHON"
	[ -n "$TEAM_HOSTS" ] || fail "TEAM_HOSTS is empty: name the hosts under which the server is called"
	mkdir -p "$TEAM_HOME"
	case "$TEAM_ARTIFACTS" in *://*) ;; *) mkdir -p "$TEAM_ARTIFACTS" ;; esac
	# EDIT: everybody sees all experiments and may log to them, since an experiment is named after its task
	cat >"$TEAM_HOME/basic_auth.ini" <<-INI
		[mlflow]
		default_permission = EDIT
		database_uri = $TEAM_AUTH_DATABASE
		admin_username = $ADMIN
		authorization_function = mlflow.server.auth:authenticate_request_basic_auth
	INI
	MLFLOW_FLASK_SERVER_SECRET_KEY="$(secret session_key)"
	MLFLOW_AUTH_ADMIN_PASSWORD="$(secret admin_password)"
	export MLFLOW_FLASK_SERVER_SECRET_KEY MLFLOW_AUTH_ADMIN_PASSWORD
	export MLFLOW_AUTH_CONFIG_PATH="$TEAM_HOME/basic_auth.ini" MLFLOW_DISABLE_TELEMETRY=true
	# eight processes of 250 MB that evaluate language models, which nobody here has
	export MLFLOW_SERVER_ENABLE_JOB_EXECUTION="${MLFLOW_SERVER_ENABLE_JOB_EXECUTION:-false}"
	unset MLFLOW_TRACKING_URI MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD
	unset PGHOST PGUSER # the addresses say all
	cd "$TEAM_HOME"
	exec "$TEAM_PYTHON" -m mlflow server \
		--backend-store-uri "$TEAM_DATABASE" \
		--serve-artifacts --artifacts-destination "$TEAM_ARTIFACTS" \
		--app-name basic-auth \
		--allowed-hosts "$TEAM_HOSTS,localhost:$TEAM_PORT,127.0.0.1:$TEAM_PORT" \
		--host "$TEAM_LISTEN" --port "$TEAM_PORT" --workers "$TEAM_WORKERS"
}

# ask METHOD PATH [JSON]: an answer's body, as the administrator; the password stands in no process list.
ask() {
	local body=()
	[ -z "${3:-}" ] || body=(-H 'Content-Type: application/json' --data-binary '@-')
	printf '%s' "${3:-}" | curl -sS --fail-with-body -X "$1" "${body[@]}" \
		-K <(printf 'user = "%s:%s"\n' "$ADMIN" "$(secret admin_password)") "$URL$2"
}

user() {
	local name="${1:-}" password="${TEAM_PASSWORD:-}" json answer
	[[ "$name" =~ ^[A-Za-z0-9_.@-]+$ ]] || fail "user NAME: letters from a to z or A to Z, digits and _ . @ -, found '$name'"
	if [ -z "$password" ]; then
		read -rsp "password of $name (12 letters or more): " password && echo
	fi
	[ ${#password} -ge 12 ] || fail "the password of $name has ${#password} letters; MLflow asks for 12"
	json="$(NAME="$name" PASSWORD="$password" "$TEAM_PYTHON" -c \
		'import json, os; print(json.dumps({"username": os.environ["NAME"], "password": os.environ["PASSWORD"]}))')"
	if answer="$(ask POST /api/2.0/mlflow/users/create "$json" 2>/dev/null)"; then
		echo "$name may log in, by MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
	elif [[ "$answer" == *RESOURCE_ALREADY_EXISTS* ]]; then
		ask PATCH /api/2.0/mlflow/users/update-password "$json" >/dev/null 2>&1 || fail "$name has no new password"
		echo "$name has a new password"
	else
		fail "$name was not made: ${answer:0:200}" # a long answer may hold what is nobody's business
	fi
}

status_of() { curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$@" || true; }

check() {
	local health anonymous stranger
	health="$(status_of "$URL/health")"
	[ "$health" = 200 ] || fail "$URL does not answer (HTTP $health)"
	anonymous="$(status_of "$URL/api/2.0/mlflow/experiments/search?max_results=1")"
	[ "$anonymous" = 401 ] || fail "$URL answers without a password (HTTP $anonymous, expected 401)"
	stranger="$(status_of -H 'Host: somewhere.example.com' "$URL/api/2.0/mlflow/experiments/search?max_results=1")"
	[ "$stranger" = 403 ] || fail "$URL answers under another name than those of TEAM_HOSTS (HTTP $stranger, expected 403)"
	ask GET "/api/2.0/mlflow/experiments/search?max_results=1" >/dev/null || fail "the administrator's password is not taken"
	echo "$URL answers, asks for a password, and only under its own names"
}

case "${1:-}" in
database | serve | check) "$1" ;;
user) user "${2:-}" ;;
*)
	sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
	exit 2
	;;
esac

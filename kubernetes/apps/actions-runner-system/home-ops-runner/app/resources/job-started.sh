#!/usr/bin/env bash
# Ends a job that somebody else's fork asked for, before its first step: this runner stands in a home.
set -euo pipefail

whose=$(jq --raw-output '.pull_request.head.repo.full_name // env.GITHUB_REPOSITORY' "$GITHUB_EVENT_PATH")
if [[ "$whose" != "$GITHUB_REPOSITORY" ]]; then
  echo "::error::pull requests from forks ($whose) do not run here"
  exit 1
fi

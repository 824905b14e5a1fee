# Completion of nnlua's command line for bash; installed to share/bash-completion/completions/nnlua.

_nnlua_lua_files() { # folders, and files that end in .lua
  local word=$1
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -X '!*.lua' -- "$word")
}

_nnlua_test_options='--pattern --exclude-pattern --output --directory --config-file --coverage-config-file --tags
  --exclude-tags --filter --filter-out --lpath --cpath --run --repeat --seed --lang --loaders --helper --coverage
  --verbose --list --lazy --auto-insulate --keep-going --no-keep-going --recursive --no-recursive --shuffle
  --shuffle-files --shuffle-tests --sort --sort-files --sort-tests --suppress-pending --defer-print --version --help'

_nnlua() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  # The first word that is no option is a script, or "test", "build" or "run": what follows is its own.
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -e | -l | --threads)
        ((i++))
        [[ ${COMP_WORDS[i]} != '=' ]] || ((i++)) # bash takes --threads=2 as three words
        ;;
      --profile) [[ ${COMP_WORDS[i + 1]} != '=' ]] || ((i += 2)) ;;
      --) break ;;
      -?*) ;;
      test)
        if [[ $word == -* ]]; then
          mapfile -t COMPREPLY < <(compgen -W "$_nnlua_test_options" -- "$word")
        else
          _nnlua_lua_files "$word"
        fi
        return
        ;;
      *)
        if [[ ${COMP_WORDS[i]} == build && $word == -* ]]; then
          mapfile -t COMPREPLY < <(compgen -W '--output --module --help' -- "$word")
          return
        fi
        if [[ ${COMP_WORDS[i]} == run && $word == -* ]]; then
          mapfile -t COMPREPLY < <(compgen -W '-n --mpi --threads --help --' -- "$word")
          return
        fi
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    esac
  done
  case $before in
    -e | -l) return ;;
    '=' | --threads)
      if [[ $before == '=' && ${COMP_WORDS[COMP_CWORD - 2]} == --profile ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
      fi
      mapfile -t COMPREPLY < <(compgen -W "$(seq "$(getconf _NPROCESSORS_ONLN)")" -- "${word#=}")
      return
      ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '-e -i -l -v -E -W --threads --profile --version --help --' -- "$word")
    return
  fi
  _nnlua_lua_files "$word"
  [[ $before == -- || test != "$word"* ]] || COMPREPLY+=(test)
  [[ $before == -- || build != "$word"* ]] || COMPREPLY+=(build)
  [[ $before == -- || run != "$word"* ]] || COMPREPLY+=(run)
}

complete -F _nnlua nnlua

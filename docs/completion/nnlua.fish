# Completion of nnlua's command line for fish; installed to share/fish/vendor_completions.d/nnlua.fish.

function __nnlua_has_script # whether a word that is no option stands before the cursor
    set -l words (commandline -opc)[2..-1]
    while set -q words[1]
        switch $words[1]
            case -e -l --threads
                set -e words[1]
            case '-*'
            case '*'
                return 0
        end
        set -e words[1]
    end
    return 1
end

complete -c nnlua -n 'not __nnlua_has_script' -s e -x -d 'Execute a string'
complete -c nnlua -n 'not __nnlua_has_script' -s i -d 'Enter interactive mode after the script'
complete -c nnlua -n 'not __nnlua_has_script' -s l -x -d 'Require a library into a global'
complete -c nnlua -n 'not __nnlua_has_script' -s v -d 'Show version information'
complete -c nnlua -n 'not __nnlua_has_script' -s E -d 'Ignore environment variables'
complete -c nnlua -n 'not __nnlua_has_script' -s W -d 'Turn warnings on'
complete -c nnlua -n 'not __nnlua_has_script' -l threads -x -d 'Threads of large operations'
complete -c nnlua -n 'not __nnlua_has_script' -l profile -d 'Tell where the time went'
complete -c nnlua -n 'not __nnlua_has_script' -l version -d 'Show versions, LAPACK, instruction set and threads'
complete -c nnlua -n 'not __nnlua_has_script' -l help -d 'Show the options'
complete -c nnlua -n 'not __nnlua_has_script' -a test -d 'Run specs with busted'
complete -c nnlua -n 'not __nnlua_has_script' -a build -d 'Make a program of one file'
complete -c nnlua -n 'not __nnlua_has_script' -a run -d 'Start several processes'

complete -c nnlua -n '__fish_seen_subcommand_from test' -s p -l pattern -x -d 'Only files matching a Lua pattern'
complete -c nnlua -n '__fish_seen_subcommand_from test' -s o -l output -x -d 'Kind of output' \
    -a 'utfTerminal plainTerminal TAP json junit gtest'
complete -c nnlua -n '__fish_seen_subcommand_from test' -s t -l tags -x -d 'Only specs with these tags'
complete -c nnlua -n '__fish_seen_subcommand_from test' -l exclude-tags -x -d 'No specs with these tags'
complete -c nnlua -n '__fish_seen_subcommand_from test' -l filter -x -d 'Only specs whose name matches'
complete -c nnlua -n '__fish_seen_subcommand_from test' -l filter-out -x -d 'No specs whose name matches'
complete -c nnlua -n '__fish_seen_subcommand_from test' -s r -l run -x -d 'A configuration of .busted'
complete -c nnlua -n '__fish_seen_subcommand_from test' -s l -l list -d 'List the names of specs'
complete -c nnlua -n '__fish_seen_subcommand_from test' -s v -l verbose -d 'Verbose output of errors'
complete -c nnlua -n '__fish_seen_subcommand_from test' -l shuffle -d 'Random order'
complete -c nnlua -n '__fish_seen_subcommand_from test' -l no-keep-going -d 'Stop at the first failure'

// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Scripts that complete command lines, made of what the commands accept. picocli's own keeps the values of options by their
 * labels, so that one "TYPE" takes another's.
 */
final class CompletionScript {
    private static final String PROGRAM = "telechat";

    /** What may follow an option. */
    private sealed interface Argument {
        /** One of these words. */
        record Choice(List<String> words) implements Argument {}

        record Directory() implements Argument {}

        record File() implements Argument {}

        /** Whatever; there is nothing to offer. */
        record Other() implements Argument {}
    }

    private final Map<String, CommandSpec> commands = new TreeMap<>();

    CompletionScript(CommandLine program) {
        program.getSubcommands().forEach((name, command) -> {
            if (!command.getCommandSpec().usageMessage().hidden()) {
                commands.put(name, command.getCommandSpec());
            }
        });
    }

    private static List<OptionSpec> options(CommandSpec command) {
        return command.options().stream().filter(o -> !o.hidden()).toList();
    }

    private static Argument argument(ArgSpec option) {
        List<String> words = new ArrayList<>();
        if (option.completionCandidates() != null) {
            option.completionCandidates().forEach(words::add);
        }
        if (!words.isEmpty()) {
            return new Argument.Choice(words);
        }
        return switch (option.paramLabel()) {
            case "DIR" -> new Argument.Directory();
            case "FILE" -> new Argument.File();
            default -> new Argument.Other();
        };
    }

    private static boolean takesArgument(OptionSpec option) {
        return option.arity().max() > 0;
    }

    private List<String> names(CommandSpec command) {
        List<String> names = new ArrayList<>();
        options(command).forEach(option -> names.addAll(List.of(option.names())));
        return names;
    }

    private static String compgen(Argument argument) {
        return switch (argument) {
            case Argument.Choice choice -> "-W \"" + String.join(" ", choice.words()) + "\"";
            case Argument.Directory directory -> "-d";
            case Argument.File file -> "-f";
            case Argument.Other other -> "";
        };
    }

    /** For bash, and for zsh with bashcompinit. */
    String bash() {
        Map<String, StringJoiner> patternsOf = new LinkedHashMap<>();
        StringBuilder words = new StringBuilder();
        StringBuilder arguments = new StringBuilder();
        commands.forEach((name, command) -> {
            words.append("        %s) words=\"%s\" ;;%n".formatted(name, String.join(" ", names(command))));
            String positional = command.positionalParameters().stream()
                    .map(p -> compgen(argument(p)))
                    .distinct()
                    .collect(Collectors.joining(" "));
            if (!positional.isEmpty()) {
                arguments.append("        %s) COMPREPLY=($(compgen %s -- \"$cur\")) ;;%n".formatted(name, positional));
            }
            for (OptionSpec option : options(command)) {
                if (takesArgument(option)) {
                    String reply = compgen(argument(option));
                    for (String optionName : option.names()) {
                        patternsOf
                                .computeIfAbsent(reply, r -> new StringJoiner(" | "))
                                .add("\"" + name + " " + optionName + "\"");
                    }
                }
            }
        });
        StringBuilder values = new StringBuilder();
        patternsOf.forEach((reply, patterns) -> values.append("        %s) %sreturn ;;%n"
                .formatted(patterns, reply.isEmpty() ? "" : "COMPREPLY=($(compgen " + reply + " -- \"$cur\")); ")));
        return """
            # Completion of telechat: source <(telechat completion bash)
            _telechat() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words=
                COMPREPLY=()
                if [ "$COMP_CWORD" = 1 ]; then
                    COMPREPLY=($(compgen -W "%s" -- "$cur"))
                    return
                fi
                case "$command $prev" in
            %s    esac
                case "$command" in
            %s    esac
                case "$cur" in
                    -*) COMPREPLY=($(compgen -W "$words" -- "$cur")); return ;;
                esac
                case "$command" in
            %s        *) COMPREPLY=($(compgen -f -- "$cur")) ;;
                esac
            }
            complete -o filenames -F _telechat telechat ./telechat\
            """.formatted(String.join(" ", commands.keySet()), values, words, arguments);
    }

    String fish() {
        StringBuilder script = new StringBuilder("# Completion of telechat: telechat completion fish | source\n");
        commands.forEach((name, command) -> {
            String description = String.join(" ", command.usageMessage().description());
            script.append("complete -c %s -n __fish_use_subcommand -f -a %s -d %s%n"
                    .formatted(PROGRAM, name, quoted(firstSentence(description))));
            command.positionalParameters().forEach(p -> {
                if (argument(p) instanceof Argument.Choice choice) {
                    script.append("complete -c %s -n '__fish_seen_subcommand_from %s' -f -a %s%n"
                            .formatted(PROGRAM, name, quoted(String.join(" ", choice.words()))));
                }
            });
            for (OptionSpec option : options(command)) {
                script.append("complete -c %s -n '__fish_seen_subcommand_from %s'".formatted(PROGRAM, name));
                for (String optionName : option.names()) {
                    script.append(
                            optionName.startsWith("--")
                                    ? " -l " + optionName.substring(2)
                                    : " -s " + optionName.substring(1));
                }
                if (takesArgument(option)) {
                    script.append(
                            switch (argument(option)) {
                                case Argument.Choice choice -> " -x -a " + quoted(String.join(" ", choice.words()));
                                case Argument.Directory directory -> " -x -a '(__fish_complete_directories)'";
                                case Argument.File file -> " -r -F";
                                case Argument.Other other -> " -x";
                            });
                }
                script.append(" -d ")
                        .append(quoted(String.join(" ", option.description())))
                        .append('\n');
            }
        });
        return script.toString().stripTrailing();
    }

    private static String firstSentence(String text) {
        int end = text.indexOf(". ");
        return end < 0 ? text.replaceFirst("\\.$", "") : text.substring(0, end);
    }

    private static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}

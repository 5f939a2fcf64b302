// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.cli.repl.Suggestions;
import io.telechat.core.Message;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What picocli says of a wrong command line, as messages that have translations: it has none of its own. */
final class UsageMessages {
    private static final Pattern NO_COMMAND = Pattern.compile("Unknown subcommand '(.*)'\\.");
    private static final Map<Pattern, Says> KNOWN = new LinkedHashMap<>();

    /** Puts what a pattern has found into a message. */
    private interface Says {
        Message of(Object... found);
    }

    static {
        KNOWN.put(
                Pattern.compile("Missing required options?: (.*)"),
                found -> Message.of("Missing required option: %s", found));
        KNOWN.put(
                Pattern.compile("Missing required parameters?: (.*)"),
                found -> Message.of("Missing required parameter: %s", found));
        KNOWN.put(
                Pattern.compile("Missing required parameter for option (.*)"),
                found -> Message.of("Missing required parameter for option %s", found));
        KNOWN.put(
                Pattern.compile("Expected parameter for option '(.*)' but found '(.*)'"),
                found -> Message.of("Expected parameter for option '%s' but found '%s'", found));
        KNOWN.put(
                Pattern.compile("Invalid value for option '(.*?)'.*?: expected one of (\\[.*]).* but was '(.*)'"),
                found -> Message.of(
                        "Invalid value for option '%s': expected one of %s but was '%s'",
                        found[0],
                        String.valueOf(found[1]).toLowerCase(Locale.ROOT).replace('_', '-'),
                        found[2]));
        KNOWN.put(
                Pattern.compile("Invalid value for option '(.*?)'[^:]*: '(.*)' is not an? (?:int|long|Integer|Long)"),
                found -> Message.of("Invalid value for option '%s': '%s' is no whole number", found));
        KNOWN.put(
                Pattern.compile(
                        "Invalid value for option '(.*?)'[^:]*: '(.*)' is not an? (?:float|double|Float|Double)"),
                found -> Message.of("Invalid value for option '%s': '%s' is no number", found));
        KNOWN.put(
                Pattern.compile("Invalid value for option '(.*?)'[^:]*: (.*)"),
                found -> Message.of("Invalid value for option '%s': %s", found));
    }

    private UsageMessages() {}

    /** The option or command that there is not, if that is what is wrong, or what may be behind a required one that is missing. */
    static Optional<String> unknown(ParameterException failure) {
        if (failure instanceof UnmatchedArgumentException unmatched) {
            return Optional.of(unmatched.getUnmatched().getFirst());
        }
        Matcher noCommand = NO_COMMAND.matcher(String.valueOf(failure.getMessage()));
        if (noCommand.matches()) {
            return Optional.of(noCommand.group(1));
        }
        return failure instanceof MissingParameterException
                ? failure.getCommandLine().getUnmatchedArguments().stream()
                        .filter(UsageMessages::isOption)
                        .findFirst()
                : Optional.empty();
    }

    private static boolean isOption(String argument) {
        return argument.length() > 1 && argument.startsWith("-");
    }

    static Message ofUnknown(String argument, CommandLine command) {
        if (isOption(argument)) {
            return Message.of("Unknown option: '%s'", argument);
        }
        if (!command.getSubcommands().isEmpty()) {
            return Message.of("Unknown command: '%s'", argument);
        }
        return Message.of("Unmatched argument: '%s'", argument);
    }

    /** Options or commands that may have been meant. */
    static List<String> near(String argument, CommandLine command) {
        if (isOption(argument)) {
            int end = argument.indexOf('=');
            String name = (end < 0 ? argument : argument.substring(0, end)).replace('_', '-');
            return Suggestions.near(name, command.getCommandSpec().optionsMap().keySet());
        }
        return Suggestions.near(
                argument,
                command.getSubcommands().entrySet().stream()
                        .filter(entry -> !entry.getValue()
                                .getCommandSpec()
                                .usageMessage()
                                .hidden())
                        .map(Map.Entry::getKey)
                        .toList());
    }

    /** The message for one of picocli's; what is not known stays as it is. */
    static Message of(String text) {
        String line = text.lines().findFirst().orElse("");
        for (Map.Entry<Pattern, Says> known : KNOWN.entrySet()) {
            Matcher matcher = known.getKey().matcher(line);
            if (matcher.matches()) {
                return known.getValue()
                        .of(IntStream.rangeClosed(1, matcher.groupCount())
                                .mapToObj(matcher::group)
                                .toArray());
            }
        }
        return Message.of("%s", line);
    }
}

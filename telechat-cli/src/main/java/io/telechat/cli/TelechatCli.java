// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.core.TelechatException;
import io.telechat.core.Translations;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;

/** The command {@code telechat}: parses, runs a subcommand, and turns failures into one line and an exit code. */
@Command(
        name = "telechat",
        description = "Run TeleChat language models.",
        mixinStandardHelpOptions = true,
        versionProvider = VersionCommand.Provider.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Exit codes: 0 ok, 1 internal error, 2 usage, 3 bad model or data, 4 not enough memory, 5 a rank failed,"
                    + " 130 interrupted."
        })
public final class TelechatCli {
    TelechatCli() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] args) {
        StandardStreams.install();
        Languages.install(System.getenv());
        int code = run(args);
        Optional<Message> failure = StandardStreams.outputFailure();
        if (failure.isPresent() && code == ExitCode.OK) {
            System.err.println("telechat: " + Message.localized("stdout cannot be written: %s", failure.get()));
            code = ExitCode.INTERNAL;
        } else if (StandardStreams.isOutputClosed()) {
            code = ExitCode.PIPE_CLOSED;
        }
        System.exit(code);
    }

    /** Runs one command and returns its exit code. */
    static int run(String... args) {
        configureLogging(Arrays.asList(args));
        CommandLine commandLine = Commands.neededFor(args);
        HelpTranslation.install(commandLine, Translations.of(Locale.getDefault(Locale.Category.DISPLAY)));
        Set<String> options = optionNames(commandLine);
        List<String> given = Arrays.stream(args)
                .map(argument -> kebabCase(argument, options))
                .toList();
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setUsageHelpAutoWidth(true);
        commandLine.setOverwrittenOptionsAllowed(true); // the last one wins, as scripts and aliases expect
        commandLine.setColorScheme(CommandLine.Help.defaultColorScheme(ansi(given)));
        commandLine.setParameterExceptionHandler(TelechatCli::usageError);
        commandLine.setExecutionExceptionHandler((failure, command, parsed) -> report(failure, given));
        List<String> arguments;
        try {
            Map<String, CommandLine> fromFiles = new HashMap<>(commandLine.getSubcommands());
            fromFiles.keySet().retainAll(Set.of("train"));
            arguments = ConfigFileOptions.expand(given, fromFiles);
        } catch (TelechatException e) {
            return report(e, given);
        }
        if (arguments.isEmpty()) {
            commandLine.usage(System.out);
            return ExitCode.OK;
        }
        try {
            return commandLine.execute(arguments.toArray(String[]::new));
        } catch (OutOfMemoryError e) {
            return report(e, given);
        }
    }

    /** The original Python's {@code --max_new_tokens} is our {@code --max-new-tokens}; text that only looks alike stays. */
    private static String kebabCase(String argument, Set<String> options) {
        int end = argument.indexOf('=');
        String name = end < 0 ? argument : argument.substring(0, end);
        String kebab = name.replace('_', '-');
        return options.contains(kebab) ? kebab + argument.substring(name.length()) : argument;
    }

    private static Set<String> optionNames(CommandLine commandLine) {
        Set<String> names =
                new HashSet<>(commandLine.getCommandSpec().optionsMap().keySet());
        commandLine.getSubcommands().values().forEach(sub -> names.addAll(optionNames(sub)));
        return names;
    }

    private static Ansi ansi(List<String> arguments) {
        String when = arguments.contains("--color")
                ? arguments.get(Math.min(arguments.indexOf("--color") + 1, arguments.size() - 1))
                : arguments.stream()
                        .filter(a -> a.startsWith("--color="))
                        .map(a -> a.substring("--color=".length()))
                        .findFirst()
                        .orElse("auto");
        return switch (when) {
            case "always" -> Ansi.ON;
            case "never" -> Ansi.OFF;
            default -> Terminals.isOutput() && System.getenv("NO_COLOR") == null ? Ansi.AUTO : Ansi.OFF;
        };
    }

    /** Has to happen before the first logger is made, hence before options are parsed. */
    private static void configureLogging(List<String> arguments) {
        boolean quiet = arguments.contains("-q") || arguments.contains("--quiet");
        boolean verbose = arguments.contains("-v") || arguments.contains("--verbose");
        System.setProperty("org.slf4j.simpleLogger.log.io.telechat", quiet ? "error" : verbose ? "debug" : "warn");
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", verbose ? "info" : "error");
        System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
        System.setProperty("org.slf4j.simpleLogger.showLogName", "false");
        System.setProperty("org.slf4j.simpleLogger.levelInBrackets", "false");
        System.setProperty("slf4j.internal.verbosity", "WARN");
        System.setProperty("picocli.trace", "OFF");
    }

    private static int usageError(CommandLine.ParameterException failure, String[] args) {
        Optional<String> unknown = UsageMessages.unknown(failure);
        System.err.println("telechat: "
                + unknown.map(name -> UsageMessages.ofUnknown(name, failure.getCommandLine()))
                        .orElseGet(() -> UsageMessages.of(failure.getMessage()))
                        .localized());
        unknown.map(name -> UsageMessages.near(name, failure.getCommandLine()))
                .filter(near -> !near.isEmpty())
                .ifPresent(near -> System.err.println(Message.localized("Did you mean %s?", String.join(", ", near))));
        System.err.println(Message.localized(
                "Try 'telechat %s--help'.",
                failure.getCommandLine().getParent() == null
                        ? ""
                        : failure.getCommandLine().getCommandName() + " "));
        return ExitCode.USAGE;
    }

    private static int report(Throwable failure, List<String> arguments) {
        System.out.flush();
        if (arguments.contains("--stacktrace")) {
            failure.printStackTrace(System.err);
        }
        System.err.println("telechat: " + describe(failure));
        return ExitCode.of(failure);
    }

    private static String describe(Throwable failure) {
        return switch (failure) {
            case TelechatException e -> e.getLocalizedMessage();
            case InternalError e
            when String.valueOf(e.getMessage()).contains("unsafe memory access") ->
                Message.localized(
                        "a file could not be read or written to its end: the disk is full, or the file was cut short"
                                + " meanwhile");
            case OutOfMemoryError e ->
                Message.localized(
                        "out of memory (%s); give Java more heap with TELECHAT_JAVA_OPTIONS=-Xmx4g", e.getMessage());
            default -> Message.localized("internal error: %s; run again with --stacktrace and report it", failure);
        };
    }
}

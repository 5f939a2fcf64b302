// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;

/** The commands by name, in the order of the help page. */
final class Commands {
    private static final Map<String, Class<?>> ALL = new LinkedHashMap<>();
    /** Those that are about the others. */
    private static final Set<String> ABOUT_OTHERS = Set.of("help", "completion");

    static {
        ALL.put("chat", ChatCommand.class);
        ALL.put("generate", GenerateCommand.class);
        ALL.put("serve", ServeCommand.class);
        ALL.put("logits", LogitsCommand.class);
        ALL.put("tokenize", TokenizeCommand.class);
        ALL.put("eval", EvalCommand.class);
        ALL.put("judge", JudgeCommand.class);
        ALL.put("bench", BenchCommand.class);
        ALL.put("bench-serve", BenchServeCommand.class);
        ALL.put("perplexity", PerplexityCommand.class);
        ALL.put("quantize", QuantizeCommand.class);
        ALL.put("convert", ConvertCommand.class);
        ALL.put("process-data", ProcessDataCommand.class);
        ALL.put("inspect-data", InspectDataCommand.class);
        ALL.put("train", TrainCommand.class);
        ALL.put("train-tokenizer", TrainTokenizerCommand.class);
        ALL.put("merge", MergeCommand.class);
        ALL.put("plan", PlanCommand.class);
        ALL.put("report", ReportCommand.class);
        ALL.put("models", ModelsCommand.class);
        ALL.put("info", InfoCommand.class);
        ALL.put("init", InitCommand.class);
        ALL.put("doctor", DoctorCommand.class);
        ALL.put("clean", CleanCommand.class);
        ALL.put("version", VersionCommand.class);
        ALL.put("completion", CompletionCommand.class);
        ALL.put("host-report", HostReportCommand.class);
        ALL.put("help", CommandLine.HelpCommand.class);
    }

    private Commands() {}

    /** The program with all commands below it. */
    static CommandLine all() {
        return with(ALL);
    }

    /**
     * The program with the command that these arguments begin with, or with all, where others may matter. To read the options of
     * all commands takes a start longer than anything else that it does.
     */
    static CommandLine neededFor(String... arguments) {
        String name = arguments.length == 0 ? "" : arguments[0];
        return ALL.containsKey(name) && !ABOUT_OTHERS.contains(name) ? with(Map.of(name, ALL.get(name))) : all();
    }

    private static CommandLine with(Map<String, Class<?>> commands) {
        CommandLine program = new CommandLine(new TelechatCli());
        commands.forEach(program::addSubcommand);
        program.getSubcommands().values().forEach(OptionHeadings::install);
        return program;
    }
}

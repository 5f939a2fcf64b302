// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Headings in the list of options of a long help page. The options stay those of the command: this is layout only. */
final class OptionHeadings {
    private OptionHeadings() {}

    /** Of commands that run a model, by the options that they stand above; the command's own options come first, without one. */
    private static final Map<String, Message> OF_MODELS = Map.of(
            "--greedy", Message.of("Answers:"),
            "--backend", Message.of("The model:"),
            "--ranks", Message.of("Many processes:"),
            "--adapter", Message.of("Adapters (LoRA):"),
            "--color", Message.of("This command:"));

    /** For commands with many options; others list them by name. */
    static void install(CommandLine command) {
        if (command.getCommandName().equals("train")) {
            install(command, TrainOptions.HEADINGS);
        } else if (command.getCommandSpec().findOption("--kv-cache") != null) {
            install(command, OF_MODELS);
        }
    }

    private static void install(CommandLine command, Map<String, Message> headings) {
        command.getCommandSpec().usageMessage().sortOptions(false);
        command.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, help -> render(help, headings));
    }

    private static String render(Help help, Map<String, Message> headings) {
        List<OptionSpec> options = help.commandSpec().options();
        StringBuilder page = new StringBuilder();
        List<OptionSpec> group = new ArrayList<>();
        for (OptionSpec option : options) {
            Message heading = headings.get(option.longestName());
            if (heading != null) {
                page.append(list(help, options, group));
                group.clear();
                page.append(help.colorScheme().text("%n@|bold %s|@%n".formatted(heading.localized())));
            }
            group.add(option);
        }
        return page.append(list(help, options, group)).toString();
    }

    /** In columns as wide as those of all options. */
    private static String list(Help help, List<OptionSpec> all, List<OptionSpec> shown) {
        return help.optionListExcludingGroups(
                shown,
                help.createDefaultLayout(all, List.of(), help.colorScheme()),
                null,
                help.parameterLabelRenderer());
    }
}

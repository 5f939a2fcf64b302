// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Translations;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * The help pages in another language, as a resource bundle under picocli's keys. What is translated are the English texts of the
 * annotations, so that there is one list of translations for help and messages.
 */
final class HelpTranslation extends ResourceBundle {
    private final Translations translations;
    private final Map<String, String> texts = new LinkedHashMap<>();
    private final Set<String> english = new TreeSet<>();

    private HelpTranslation(CommandLine command, Translations translations) {
        this.translations = translations;
        addAll(command);
    }

    /** Puts the pages of a command and those below it into a language, if that has translations. */
    static void install(CommandLine command, Translations translations) {
        if (!translations.isEmpty()) {
            command.setResourceBundle(new HelpTranslation(command, translations));
        }
    }

    /** Every text of the pages of a command and those below it. */
    static Set<String> texts(CommandLine command, Translations translations) {
        return new HelpTranslation(command, translations).english;
    }

    private void addAll(CommandLine command) {
        CommandSpec spec = command.getCommandSpec();
        String prefix = spec.qualifiedName(".") + ".";
        UsageMessageSpec usage = spec.usageMessage();
        add(prefix + "usage.description", usage.description());
        add(prefix + "usage.header", usage.header());
        add(prefix + "usage.footer", usage.footer());
        add(prefix + "usage.synopsisHeading", usage.synopsisHeading());
        add(prefix + "usage.commandListHeading", usage.commandListHeading());
        for (OptionSpec option : spec.options()) {
            add(prefix + option.longestName().replaceFirst("^-+", ""), option.description());
        }
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            add(prefix + parameter.paramLabel() + "[" + parameter.index() + "]", parameter.description());
        }
        command.getSubcommands().values().forEach(this::addAll);
    }

    private void add(String key, String... lines) {
        for (int i = 0; i < lines.length; i++) {
            texts.put(lines.length == 1 ? key : key + "." + i, translations.get(lines[i]));
            if (!lines[i].isBlank()) {
                english.add(lines[i]);
            }
        }
    }

    @Override
    protected Object handleGetObject(String key) {
        return texts.get(key);
    }

    @Override
    public Enumeration<String> getKeys() {
        return Collections.enumeration(texts.keySet());
    }
}

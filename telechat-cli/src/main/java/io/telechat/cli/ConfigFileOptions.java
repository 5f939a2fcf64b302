// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;

/** {@code --config FILE}: options from a file, put in front of those of the command line, which therefore win. */
final class ConfigFileOptions {
    private static final String OPTION = "--config";

    private ConfigFileOptions() {}

    /**
     * @param arguments of the whole command line
     * @param commands that read their options from files, by name
     * @return the same without {@code --config}, and with what its file says behind the command's name
     * @throws InvalidRequestException if the file names an option that the command does not have
     * @throws InvalidModelException if the file cannot be read
     */
    static List<String> expand(List<String> arguments, Map<String, CommandLine> commands) {
        if (arguments.isEmpty() || !commands.containsKey(arguments.getFirst())) {
            return arguments;
        }
        List<String> rest = new ArrayList<>();
        List<String> fromFile = List.of();
        for (int i = 1; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.startsWith(OPTION + "=")) {
                fromFile = read(Path.of(argument.substring(OPTION.length() + 1)), commands.get(arguments.getFirst()));
            } else if (argument.equals(OPTION) && i + 1 < arguments.size()) {
                fromFile = read(Path.of(arguments.get(++i)), commands.get(arguments.getFirst()));
            } else {
                rest.add(argument);
            }
        }
        List<String> all = new ArrayList<>();
        all.add(arguments.getFirst());
        all.addAll(fromFile);
        all.addAll(rest);
        return all;
    }

    /** What was meant, if that is not far off. */
    private static Message closest(String option, Set<String> names) {
        return names.stream()
                .filter(name -> name.startsWith("--"))
                .min(Comparator.comparingInt(name -> distance(option, name)))
                .filter(name -> distance(option, name) <= option.length() / 4)
                .map(name -> Message.of("; did you mean %s?", name.substring(2)))
                .orElseGet(() -> Message.of(""));
    }

    /** Letters to insert, delete or change (Levenshtein 1966). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }

    private static List<String> read(Path file, CommandLine command) {
        JsonNode yaml;
        try {
            yaml = new YAMLMapper().readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new InvalidModelException(
                    e,
                    "%s: not valid YAML: %s",
                    file,
                    e.getOriginalMessage().lines().findFirst().orElse(""));
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", file, IoReason.of(e));
        }
        if (yaml == null || !yaml.isObject()) {
            throw new InvalidModelException("%s: expected lines of \"option: value\"", file);
        }
        List<String> options = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : yaml.properties()) {
            String option = "--" + entry.getKey().replace('_', '-');
            if (!command.getCommandSpec().optionsMap().containsKey(option)) {
                throw new InvalidRequestException(
                        "%s: there is no option %s%s",
                        file,
                        entry.getKey(),
                        closest(option, command.getCommandSpec().optionsMap().keySet()));
            }
            JsonNode value = entry.getValue();
            if (value.isBoolean()) {
                if (value.booleanValue()) {
                    options.add(option);
                }
            } else {
                List<String> parts = new ArrayList<>();
                if (value.isArray()) {
                    value.forEach(v -> parts.add(v.asText()));
                } else {
                    parts.add(value.asText());
                }
                options.add(option);
                options.add(String.join(",", parts));
            }
        }
        return options;
    }
}

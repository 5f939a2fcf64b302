// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** {@code config.yaml} of a run: every option as it took effect, defaults included; fit for {@code --config}. */
final class RunConfigFile {
    private static final String NAME = "config.yaml";

    private RunConfigFile() {}

    static void write(CommandSpec spec, Path directory) throws IOException {
        Map<String, Object> values = new TreeMap<>();
        for (OptionSpec option : spec.options()) {
            Object value = option.getValue();
            boolean aboutThisCall = option.usageHelp()
                    || option.versionHelp()
                    || option.longestName().equals("--config")
                    || option.longestName().equals("--resume");
            if (!aboutThisCall && value != null && !Optional.empty().equals(value)) {
                values.put(option.longestName().substring(2), plain(value));
            }
        }
        Files.writeString(directory.resolve(NAME), new YAMLMapper().writeValueAsString(values));
    }

    private static Object plain(Object value) {
        return switch (value) {
            case Optional<?> optional -> plain(optional.get());
            case Collection<?> all -> all.stream().map(String::valueOf).collect(Collectors.joining(","));
            case Number number -> number;
            case Boolean flag -> flag;
            default -> value.toString();
        };
    }
}

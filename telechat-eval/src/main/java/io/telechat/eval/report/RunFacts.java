// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import io.telechat.eval.EvalResults;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What was asked for in a run, as text: the model first, then the settings that were given. */
final class RunFacts {
    private RunFacts() {}

    static Map<String, String> of(EvalResults results) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", results.model());
        results.settings().properties().forEach(setting -> {
            if (!setting.getValue().isNull()) {
                facts.put(setting.getKey(), setting.getValue().asText());
            }
        });
        return facts;
    }

    /** A directory's own name. */
    static String name(Path directory) {
        Path name = directory.toAbsolutePath().normalize().getFileName();
        return name == null ? "/" : name.toString();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.Message;
import io.telechat.core.TelechatException;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.weights.ModelLoader;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code telechat models}. */
@Command(
        name = "models",
        description = {
            "Checkpoints below the folders of TELECHAT_MODELS and in the caches of Hugging Face and ModelScope.",
            "Their names may stand wherever a command wants a model's directory."
        },
        mixinStandardHelpOptions = true)
final class ModelsCommand implements Callable<Integer> {
    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        ModelCatalog catalog = new ModelCatalog(System.getenv());
        List<ModelCatalog.Entry> entries = catalog.entries();
        ObjectNode report = Json.object();
        ArrayNode models = report.putArray("models");
        for (ModelCatalog.Entry entry : entries) {
            ObjectNode model = models.addObject()
                    .put("name", entry.name())
                    .put("directory", entry.directory().toString());
            try (ModelLoader.Checked checked = ModelLoader.check(entry.directory())) {
                model.put("architecture", checked.config().architecture().name());
                model.put("parameters", checked.config().parameters());
                model.put("bytes", checked.checkpoint().bytes());
            } catch (TelechatException e) {
                model.put("unusable", e.getMessage());
            }
        }
        if (json) {
            System.out.println(report);
            return ExitCode.OK;
        }
        models.forEach(model -> System.out.printf(
                "%-36s %s%n",
                model.get("name").asText(),
                model.has("unusable")
                        ? "not usable: " + model.get("unusable").asText()
                        : "%s, %,d parameters, %s"
                                .formatted(
                                        model.get("architecture").asText(),
                                        model.get("parameters").asLong(),
                                        MemoryPlan.gib(model.get("bytes").asLong()))));
        if (entries.isEmpty()) {
            System.err.println(Message.localized("no checkpoints found; %s", ModelOptions.WHERE_FROM));
        }
        return ExitCode.OK;
    }
}

// SPDX-License-Identifier: Apache-2.0
package snippets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import io.telechat.eval.EvalResults;
import io.telechat.eval.EvalSettings;
import io.telechat.eval.Evaluation;
import io.telechat.eval.Tasks;
import io.telechat.eval.model.Answerer;
import io.telechat.eval.model.LocalModel;
import io.telechat.eval.model.PromptForm;
import io.telechat.eval.report.ResultsTable;
import io.telechat.eval.task.Style;
import io.telechat.eval.task.Task;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documentation shows, run: a task of one's own, put to a small model. */
class EvalSnippetsTest {
    @TempDir
    static Path directory;

    @Test
    void scores() throws IOException {
        Path checkpoint = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        Files.writeString(directory.resolve("rivers.jsonl"), """
            {"question": "Which of these is a river?", "options": ["the Nile", "the Alps"], "answer": "A"}
            """);
        Path yaml = Files.writeString(directory.resolve("rivers.yaml"), """
            data: rivers.jsonl
            prompt: "Question: {{question}}\\nAnswer:"
            choices: "{{options}}"
            gold: "{{answer}}"
            """);
        Path out = directory.resolve("run");

        List<Task> tasks = Tasks.find(List.of(yaml.toString()), Style.LM_EVAL);
        EvalSettings settings = new EvalSettings(
                Style.LM_EVAL, directory, OptionalInt.empty(), OptionalInt.empty(), PromptForm.PLAIN, false);
        LoadOptions options = LocalModel.inBatches(LoadOptions.builder(), 32).build();
        try (Answerer model =
                new LocalModel(ChatModel.load(checkpoint, options), "my model", "version 1", PromptForm.PLAIN, 32)) {
            EvalResults results = new Evaluation(settings, Optional.empty())
                    .run(tasks, model, Optional.of(out), true, (task, done, total) -> {});
            System.out.println(ResultsTable.of(results));
        }

        assertEquals(1, Files.readAllLines(out.resolve("samples_rivers.jsonl")).size());
        assertTrue(Files.exists(out.resolve("results.json")));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.metric.Metrics;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.Repository;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.nd4j.ArrayView;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Through DJL's own types. */
class TelechatEngineTest {
    @TempDir
    static Path directory;

    private static Path checkpoint;

    @BeforeAll
    static void make() throws IOException {
        Path parent = Files.createDirectory(directory.resolve("models with spaces 模型"));
        checkpoint = TinyModels.makeWithTools(parent, "telechat2", 3);
    }

    private static <I, O> Criteria.Builder<I, O> criteria(Class<I> input, Class<O> output) {
        return Criteria.builder().setTypes(input, output).optEngine("TeleChat").optModelPath(checkpoint);
    }

    private static ChatInput question(String text) {
        return ChatInput.builder().user(text).temperature(0).maxTokens(30).build();
    }

    /** What the library says itself. */
    private static String expected(String question) {
        try (ChatModel model = ChatModel.load(checkpoint);
                ChatSession session = model.newSession()) {
            session.setOptions(model.defaults().withMaxNewTokens(30));
            return session.send(question).text();
        }
    }

    @Test
    void itIsFoundAndSaysWhatItIs() {
        Engine engine = Engine.getEngine("TeleChat");
        assertEquals("TeleChat", engine.getEngineName());
        assertEquals(Device.cpu(), engine.defaultDevice());
        assertFalse(engine.hasCapability("CUDA"));
        assertEquals("true", System.getProperty("OPT_OUT_TRACKING"), "DJL would call home");
        assertThrows(IllegalArgumentException.class, () -> engine.newModel("m", Device.gpu()));
    }

    @Test
    void aPredictorChats() throws Exception {
        try (ZooModel<ChatInput, ChatOutput> model =
                        criteria(ChatInput.class, ChatOutput.class).build().loadModel();
                Predictor<ChatInput, ChatOutput> predictor = model.newPredictor()) {
            assertEquals("telechat2", model.getName());
            Metrics metrics = new Metrics();
            predictor.setMetrics(metrics);
            ChatOutput answer = predictor.predict(question("hello"));
            assertEquals(expected("hello"), answer.text());
            assertTrue(metrics.getMetricNames().containsAll(List.of("Preprocess", "Inference", "Postprocess")));
            assertEquals(checkpoint, model.getModelPath());
        }
    }

    @Test
    void aBatchIsComputedSideBySideAndEachAsIfAlone() throws Exception {
        try (ZooModel<ChatInput, ChatOutput> model =
                        criteria(ChatInput.class, ChatOutput.class).build().loadModel();
                Predictor<ChatInput, ChatOutput> predictor = model.newPredictor()) {
            Metrics metrics = new Metrics();
            predictor.setMetrics(metrics);
            List<String> questions = List.of("one", "two", "three", "four");
            List<ChatOutput> answers = predictor.batchPredict(
                    questions.stream().map(TelechatEngineTest::question).toList());
            for (int i = 0; i < questions.size(); i++) {
                assertEquals(expected(questions.get(i)), answers.get(i).text());
            }
            assertEquals(4, metrics.getMetric("Inference").size());
            TelechatModel ours = (TelechatModel) model.getWrappedModel();
            long alone = answers.stream()
                    .mapToInt(a -> a.generation().tokens().size())
                    .sum();
            assertTrue(ours.chatModel().engine().stats().steps() < alone, "the engine did not batch them");
        }
    }

    @Test
    void aStreamComesInPiecesAndCanBeLeft() throws Exception {
        try (ZooModel<ChatInput, ChatStream> model =
                        criteria(ChatInput.class, ChatStream.class).build().loadModel();
                Predictor<ChatInput, ChatStream> predictor = model.newPredictor()) {
            StringBuilder text = new StringBuilder();
            try (ChatStream answer = predictor.predict(question("hello"))) {
                answer.forEach(text::append);
            }
            assertEquals(expected("hello"), text.toString());
            ChatInput longer = ChatInput.builder()
                    .user("tell")
                    .temperature(1)
                    .seed(1)
                    .maxTokens(3000)
                    .build();
            try (ChatStream answer = predictor.predict(longer)) {
                Iterator<String> pieces = answer.iterator();
                pieces.next();
            }
            TelechatModel ours = (TelechatModel) model.getWrappedModel();
            assertEquals(0, ours.chatModel().engine().stats().running());
        }
    }

    @Test
    void textsAndOptionsDo() throws Exception {
        try (ZooModel<String, String> model = criteria(String.class, String.class)
                        .optOption("weights", "q8")
                        .optOption("kvCache", "bf16")
                        .optOption("threads", "1")
                        .optOption("contextLength", "512")
                        .build()
                        .loadModel();
                Predictor<String, String> predictor = model.newPredictor()) {
            assertFalse(predictor.predict("hello").isEmpty());
            TelechatModel ours = (TelechatModel) model.getWrappedModel();
            assertEquals(512, ours.chatModel().contextLength());
        }
        assertEquals(
                InvalidRequestException.class,
                assertThrows(
                                InvalidRequestException.class,
                                () -> criteria(String.class, String.class)
                                        .optOption("wieghts", "q8")
                                        .build()
                                        .loadModel())
                        .getClass());
    }

    @Test
    void idsBecomeLogitsOverTheSameMemoryAsAnIndArray() throws Exception {
        try (ZooModel<NDList, NDList> model =
                        criteria(NDList.class, NDList.class).build().loadModel();
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = model.getNDManager().newSubManager()) {
            int[] ids = {5, 17, 99, 7};
            NDArray logits = predictor.predict(new NDList(manager.create(ids))).singletonOrThrow();
            assertEquals(new Shape(4, 300), logits.getShape());
            ChatModel ours = ((TelechatModel) model.getWrappedModel()).chatModel();
            try (Context context = ours.newContext()) {
                float[] last = Arrays.copyOfRange(logits.toFloatArray(), 3 * 300, 4 * 300);
                assertArrayEquals(ours.logits(ids, context), last);
            }
            INDArray array = ArrayView.array(((TelechatArray) logits).tensor());
            assertEquals(logits.toFloatArray()[301], array.getFloat(1, 1));
        }
    }

    @Test
    void whatIsWrongIsSaid() throws Exception {
        try (ZooModel<ChatInput, ChatOutput> model =
                        criteria(ChatInput.class, ChatOutput.class).build().loadModel();
                Predictor<ChatInput, ChatOutput> predictor = model.newPredictor()) {
            ChatInput none = ChatInput.builder().build();
            TranslateException failed = assertThrows(TranslateException.class, () -> predictor.predict(none));
            assertInstanceOf(InvalidRequestException.class, failed.getCause());
            List<ChatInput> batch = new ArrayList<>(List.of(question("a"), none));
            assertThrows(TranslateException.class, () -> predictor.batchPredict(batch));
        }
        assertThrows(
                ModelNotFoundException.class,
                () -> criteria(String.class, Integer.class).build().loadModel());
        Path damaged = Files.createDirectory(directory.resolve("damaged"));
        Files.writeString(damaged.resolve("config.json"), "{\"model_type\": \"telechat\"}");
        assertThrows(
                MalformedModelException.class,
                () -> criteria(String.class, String.class)
                        .optModelPath(damaged)
                        .build()
                        .loadModel());
    }

    /** DJL would run any class that it finds beside a model. */
    @Test
    void classesInAModelsDirectoryAreNotRun() throws Exception {
        Path planted = Files.createDirectories(checkpoint.resolve("classes")).resolve("Planted.class");
        Files.write(planted, new byte[] {1, 2, 3}); // to load it would fail
        try (ZooModel<String, String> model =
                criteria(String.class, String.class).build().loadModel()) {
            assertEquals("telechat2", model.getName());
        } finally {
            Files.delete(planted);
            Files.delete(planted.getParent());
        }
    }

    @Test
    void otherDirectoriesAreRepositoriesAsBefore() throws Exception {
        Path other = Files.createDirectory(directory.resolve("other"));
        Files.writeString(other.resolve("config.json"), "{\"model_type\": \"bert\"}");
        Repository repository = Repository.newInstance("r", other.toUri().toString());
        assertTrue(repository.getResources().size() <= 1);
        assertThrows(
                ModelNotFoundException.class,
                () -> criteria(ChatInput.class, ChatOutput.class)
                        .optModelPath(other)
                        .build()
                        .loadModel());
    }

    @Test
    void arraysHoldNumbers() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "TeleChat")) {
            NDArray floats = manager.create(new float[] {1, 2, 3, 4}, new Shape(2, 2));
            assertEquals("(2, 2) float32", floats.toString());
            assertArrayEquals(new float[] {1, 2, 3, 4}, floats.toFloatArray());
            assertArrayEquals(
                    new long[3], manager.zeros(new Shape(3), DataType.INT64).toLongArray());
            NDArray copy = NDList.decode(manager, new NDList(floats).encode()).singletonOrThrow();
            assertArrayEquals(floats.toFloatArray(), copy.toFloatArray());
            floats.set(new float[] {5, 6, 7, 8});
            assertArrayEquals(new float[] {5, 6, 7, 8}, floats.toFloatArray());
            assertArrayEquals(new float[] {1, 2, 3, 4}, copy.toFloatArray());
            assertThrows(UnsupportedOperationException.class, () -> floats.add(copy));
        }
    }

    @Test
    void aModelLoadsByHandToo() throws Exception {
        try (Model model = Model.newInstance("by hand", "TeleChat")) {
            model.load(checkpoint);
            try (Predictor<ChatInput, ChatOutput> predictor = model.newPredictor(
                    new TelechatTranslatorFactory().newInstance(ChatInput.class, ChatOutput.class, model, null))) {
                assertEquals(
                        expected("hello"), predictor.predict(question("hello")).text());
            }
        }
    }
}

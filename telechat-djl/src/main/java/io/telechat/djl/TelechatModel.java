// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.BaseModel;
import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.translate.Translator;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.infer.ChatModel;
import io.telechat.infer.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * A checkpoint in DJL's hands. Options, by {@code Criteria.Builder.optOption}, all optional:
 *
 * <table>
 * <caption>Options</caption>
 * <tr><th>name</th><th>value</th></tr>
 * <tr><td>{@code weights}</td><td>{@code q8} or {@code q4}: round the weights as they are loaded</td></tr>
 * <tr><td>{@code kvCache}</td><td>{@code f32}, {@code f16} or {@code bf16}: elements of the key/value cache</td></tr>
 * <tr><td>{@code contextLength}</td><td>tokens of prompt and answer at most</td></tr>
 * <tr><td>{@code maxBatch}</td><td>answers that are computed at once at most</td></tr>
 * <tr><td>{@code threads}</td><td>how many compute</td></tr>
 * <tr><td>{@code backend}</td><td>{@code cpu} or {@code nd4j}</td></tr>
 * <tr><td>{@code tokenizer}</td><td>directory of the tokenizer, if it is not the model's</td></tr>
 * <tr><td>{@code adapter}</td><td>directory of a LoRA adapter</td></tr>
 * </table>
 */
public final class TelechatModel extends BaseModel {
    private ChatModel model;

    TelechatModel(String name, NDManager manager) {
        super(name);
        this.manager = manager;
        this.manager.setName("telechat");
        this.dataType = DataType.FLOAT32;
    }

    /**
     * @throws MalformedModelException if it is damaged or incomplete
     * @throws InvalidRequestException if an option is unknown or impossible
     * @throws io.telechat.core.InsufficientMemoryException if it cannot fit
     */
    @Override
    public void load(Path path, String prefix, Map<String, ?> options) throws IOException, MalformedModelException {
        setModelDir(path);
        if (block != null) {
            throw new UnsupportedOperationException("the engine TeleChat makes its own block");
        }
        LoadOptions load = ModelOptions.of(options == null ? Map.of() : options);
        try {
            model = ChatModel.load(modelDir, load);
        } catch (InvalidModelException e) {
            throw new MalformedModelException(e.getMessage(), e);
        }
        block = new TelechatBlock(model);
        wasLoaded = true;
    }

    /**
     * The model behind it, for what DJL has no words for; closed with this.
     *
     * @throws IllegalStateException if none has been loaded
     */
    public ChatModel chatModel() {
        if (model == null) {
            throw new IllegalStateException("no model has been loaded");
        }
        return model;
    }

    @Override
    public <I, O> Predictor<I, O> newPredictor(Translator<I, O> translator, Device device) {
        return new TelechatPredictor<>(this, translator, device);
    }

    @Override
    public void close() {
        if (model != null) {
            model.close();
        }
        super.close();
    }
}

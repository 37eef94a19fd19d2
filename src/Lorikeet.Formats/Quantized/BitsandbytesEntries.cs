using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Lorikeet.Kernels;
using Lorikeet.Tensors;

namespace Lorikeet.Formats;

/// <summary>Writes quantised weights as bitsandbytes and transformers lay them out in a folder.</summary>
public static class BitsandbytesEntries
{
    /// <summary>
    /// The tensors that one weight becomes. It is quantised when their turn comes, and again for the next of them: what lies in memory is one matrix at a
    /// time, and of double quantisation a byte for each 64 weights.
    /// </summary>
    /// <param name="name">What the model calls it; it ends in <c>.weight</c>.</param>
    /// <param name="value">A matrix in any storage.</param>
    /// <param name="type">NF4, FP4, with or without double quantisation, or Int8Row.</param>
    /// <param name="sourceType">What torch calls the type that it is widened to again: <c>float32</c>, <c>bfloat16</c>, <c>float16</c>.</param>
    /// <param name="written">Told how far it moved, where not null.</param>
    public static IEnumerable<SafetensorsEntry> Of(string name, Tensor value, DType type, string sourceType, Action<WeightError>? written = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        Shape shape = value.Shape;
        NestedMagnitudes? nested = null;
        if (type == DType.Int8Row)
        {
            string module = name[..^".weight".Length];
            yield return new SafetensorsEntry(name, DType.I8, shape.ToArray(), WriteCodes);
            yield return new SafetensorsEntry(module + ".SCB", DType.F32, [shape.Rows], WriteMagnitudes);
            yield return new SafetensorsEntry(module + ".weight_format", DType.U8, [], stream => stream.WriteByte(0));
            yield break;
        }
        string typeName = type is DType.NF4 or DType.NF4DQ ? "nf4" : "fp4";
        long blocks = (shape.Elements + BitsandbytesMatrix.Block - 1) / BitsandbytesMatrix.Block;
        if (type.IsNested())
        {
            using BitsandbytesMatrix matrix = BitsandbytesMatrix.Of(name, value, type);
            nested = matrix.Nested;
        }
        JsonObject state = new()
        {
            ["quant_type"] = typeName,
            ["blocksize"] = BitsandbytesMatrix.Block,
            ["dtype"] = sourceType,
            ["shape"] = new JsonArray(shape[0], shape[1]),
        };
        if (nested is not null)
        {
            state["nested_blocksize"] = NestedMagnitudes.Block;
            state["nested_dtype"] = "float32";
            state["nested_offset"] = (double)nested.Offset;
        }
        yield return new SafetensorsEntry(name, DType.U8, [(shape.Elements + 1) / 2, 1], WriteCodes);
        yield return nested is null
            ? new SafetensorsEntry(name + ".absmax", DType.F32, [blocks], WriteMagnitudes)
            : Bytes(".absmax", DType.U8, [blocks], nested.Codes);
        yield return Bytes(".quant_map", DType.F32, [16], MemoryMarshal.AsBytes(Bnb4.Levels(type)).ToArray());
        if (nested is not null)
        {
            yield return Bytes(".nested_absmax", DType.F32, [nested.Magnitudes.Length], MemoryMarshal.AsBytes(nested.Magnitudes.AsSpan()).ToArray());
            yield return Bytes(".nested_quant_map", DType.F32, [256], MemoryMarshal.AsBytes(DynamicMap.Signed).ToArray());
        }
        byte[] text = Encoding.UTF8.GetBytes(PythonJson.Write(state, JsonStyle.Line));
        yield return Bytes(BitsandbytesWeights.State + typeName, DType.U8, [text.Length], text);

        SafetensorsEntry Bytes(string end, DType stored, long[] sizes, byte[] bytes) => new(name + end, stored, sizes, stream => stream.Write(bytes));

        void WriteCodes(Stream stream)
        {
            using BitsandbytesMatrix matrix = BitsandbytesMatrix.Of(name, value, type);
            matrix.Codes.Bytes.CopyTo(stream);
            if (written is not null)
            {
                StoredTensor after = matrix.InMemory();
                long bytes = matrix.Codes.Length + (nested is null ? matrix.Magnitudes.Length : nested.Codes.Length + 4L * nested.Magnitudes.Length);
                written(WeightError.Between(name, value, Tensor.FromBytes(after.Bytes, after.Type, shape), type, bytes));
            }
        }

        void WriteMagnitudes(Stream stream)
        {
            using BitsandbytesMatrix matrix = BitsandbytesMatrix.Of(name, value, type);
            stream.Write(matrix.Magnitudes);
        }
    }

    /// <summary>The <c>quantization_config</c> that tells transformers how to read them.</summary>
    /// <param name="type">NF4, FP4, with or without double quantisation, or Int8Row.</param>
    public static JsonObject Configuration(DType type)
    {
        bool four = Bnb4.Holds(type);
        return new JsonObject
        {
            ["_load_in_4bit"] = four,
            ["_load_in_8bit"] = !four,
            ["bnb_4bit_compute_dtype"] = "float32",
            ["bnb_4bit_quant_storage"] = "uint8",
            ["bnb_4bit_quant_type"] = type is DType.NF4 or DType.NF4DQ ? "nf4" : "fp4",
            ["bnb_4bit_use_double_quant"] = type is DType.NF4DQ or DType.FP4DQ,
            ["llm_int8_enable_fp32_cpu_offload"] = false,
            ["llm_int8_has_fp16_weight"] = false,
            ["llm_int8_skip_modules"] = null,
            ["llm_int8_threshold"] = 6.0,
            ["load_in_4bit"] = four,
            ["load_in_8bit"] = !four,
            ["quant_method"] = "bitsandbytes",
        };
    }

    /// <summary>The type that a folder's file has a weight in, or null where it is none of bitsandbytes'.</summary>
    public static DType? TypeOf(ITensorSource file, string name)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Find(name) is not { } stored)
            return null;
        if (stored.Type == DType.I8)
            return DType.Int8Row;
        bool nested = file.Find(name + ".nested_absmax") is not null;
        return file.Find(name + BitsandbytesWeights.State + "nf4") is not null ? nested ? DType.NF4DQ : DType.NF4
            : file.Find(name + BitsandbytesWeights.State + "fp4") is not null ? nested ? DType.FP4DQ : DType.FP4
            : null;
    }
}

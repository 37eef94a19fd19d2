using Lorikeet.Formats;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Inference;

/// <summary>Writes a model with its tokenizer and chat template as one GGUF file.</summary>
public static class GgufModelFile
{
    /// <summary>Writes the file, all or nothing.</summary>
    /// <param name="files">Where the model lies: what it says about text goes into the file.</param>
    /// <param name="model">Its weights as they are now.</param>
    /// <param name="path">Final place.</param>
    /// <param name="type">Storage of the matrices; see <see cref="GgufExport.Write"/>.</param>
    /// <param name="written">Hears of each matrix and what its rounding cost; null where nobody asks.</param>
    /// <param name="stop">Ends it; nothing is left behind.</param>
    /// <exception cref="InputException">GGUF cannot express the model, the place cannot be written or is where the model lies, or weights are not finite, or would not be in that storage.</exception>
    /// <exception cref="TokenizerException">GGUF cannot express the tokenizer.</exception>
    public static void Write(ModelFiles files, CausalLm model, string path, DType type, Action<WeightError>? written = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (!files.IsRandom)
            Origins.Check(path, within: true, files.Path);
        GgufExport.Write(model, path, type, files.GgufMetadata(), written, files.Path, stop);
    }
}

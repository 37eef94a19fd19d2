using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Inference;

/// <summary>
/// Keys and values that outlive a generation, with the tokens they belong to: the next prompt of a conversation begins like the last one, and only what
/// is new is computed. It belongs to one model with one set of adapters; <see cref="Clear"/> it when those change.
/// </summary>
public sealed class PromptCache : IDisposable
{
    private readonly List<int> _ids = [];

    /// <summary>Tokens that are cached.</summary>
    public int Length => _ids.Count;

    internal KvCache? Keys { get; private set; }

    internal bool InUse { get; set; }

    /// <summary>See <see cref="Generation.Outgrown"/>.</summary>
    internal bool Outgrown { get; private set; }

    /// <summary>Forgets everything, and gives its memory back.</summary>
    public void Clear()
    {
        Keys?.Dispose();
        Keys = null;
        _ids.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>Keeps what the cache has in common with a prompt. The prompt's last token is always computed anew, for its logits.</summary>
    /// <returns>How many tokens that are.</returns>
    internal int Reuse(ReadOnlySpan<int> prompt, KvPool pool)
    {
        Keys ??= new KvCache(pool);
        int common = 0;
        while (common < _ids.Count && common < prompt.Length - 1 && _ids[common] == prompt[common])
            common++;
        _ids.RemoveRange(common, _ids.Count - common);
        Keys.Truncate(common == 0 ? 0 : Keys.Prefix + common);
        return common;
    }

    /// <summary>Remembers which tokens the cache holds now.</summary>
    internal void Hold(ReadOnlySpan<int> tokens, bool outgrown)
    {
        Outgrown = outgrown;
        _ids.Clear();
        _ids.AddRange(tokens);
    }
}

namespace Lorikeet.Text;

/// <summary>Reads the <c>decoder</c> of a <c>tokenizer.json</c>.</summary>
internal static class DecoderJson
{
    /// <summary>Makes the first stage of a run in front of another; null where the file names no decoder.</summary>
    public static Func<DecodeStage, DecodeStage>? Read(JsonField field)
    {
        if (!field.Exists || !field.IsObject())
            return null;
        string type = field["type"].RequiredText();
        switch (type)
        {
            case "ByteLevel":
                return next => new ByteLevelStage(next);
            default:
                field["type"].Problem($"unknown decoder \"{type}\"");
                return null;
        }
    }
}

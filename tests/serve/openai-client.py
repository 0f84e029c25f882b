# The client of OpenAI in Python against a server of ours; ends with "fine".
import os, openai
client = openai.OpenAI(base_url=os.environ["BASE"], api_key=os.environ["KEY"])
ask = lambda text, **more: client.chat.completions.create(model="auto", messages=[{"role": "user", "content": text}], **more)
whole = ask("hello")
assert whole.choices[0].message.content == "echo: hello", whole
assert whole.usage.model_extra["cost"] == 0.00004, whole.usage
pieces = [c.choices[0].delta.content or "" for c in ask("a stream", stream=True) if c.choices]
assert "".join(pieces) == "echo: a stream", pieces
try:
    client.with_options(api_key="afk_wrong").models.list()
    raise SystemExit("a wrong key was taken")
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key", error
try:
    for chunk in client.chat.completions.create(model="broken/m", messages=[{"role": "user", "content": "break"}], stream=True): pass
    raise SystemExit("a broken stream was taken for whole")
except openai.APIError as error:
    assert error.code == "provider_truncated", error
print("fine")

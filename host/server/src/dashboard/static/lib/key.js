// The API key, where the server wants one. It stays in this tab and is gone with it.

const PLACE = 'retailcast.key';

/** The key, or null. */
export const key = () => sessionStorage.getItem(PLACE);

let asking = null;

/** Asks for a key, once for all requests that were refused at the same time. False: none was given. */
export function askForKey(why) {
  asking ??= ask(why).finally(() => { asking = null; });
  return asking;
}

function ask(why) {
  const dialog = document.createElement('dialog');
  dialog.className = 'palette';
  dialog.setAttribute('aria-label', 'API key');
  dialog.innerHTML = `<form method="dialog"><h2>This server wants an API key</h2><p class="quiet"></p>
    <p><label>Key <input type="password" autocomplete="off" spellcheck="false" required placeholder="rc_…"></label></p>
    <p><button class="primary" value="given">Go on</button></p>
    <p class="quiet"><code>retailcast key create --scope admin</code> makes one. It stays in this tab.</p></form>`;
  // Not as HTML: it is the server's text.
  dialog.querySelector('.quiet').textContent = why;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      const given = dialog.returnValue === 'given' && dialog.querySelector('input').value.trim();
      if (given) sessionStorage.setItem(PLACE, given);
      dialog.remove();
      resolve(Boolean(given));
    });
  });
}
